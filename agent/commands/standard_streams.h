// What descriptors 0, 1 and 2 are before anything else is opened. Before any thread.
#pragma once

namespace exa {

// Opens /dev/null in the place of those that are closed, or the next file that is opened would be
// printed into. A file that may not grow (RLIMIT_FSIZE) fails the write, and does not end us.
// False: there is no place to print, and none to say so.
[[nodiscard]] bool secure_standard_streams();

}  // namespace exa
