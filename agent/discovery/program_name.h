// The name of what an interpreter or an application server runs, from the words that it was started
// with, or from the title that it gave itself since: "orders-service" of `java -Xmx1g -jar
// orders-service-1.2.jar`, "shop.wsgi" of "gunicorn: worker [shop.wsgi]".
// Pure, linear in the words, which hold whatever a process likes; never guesses: no value of an
// option, no port, no address. What is not clear has no name.
#pragma once

#include <string>
#include <string_view>

namespace exa {

struct ProgramName {
  std::string name{};
  // Where only the folder of the project tells, as for `node .` and __main__.py: as the process
  // sees it, relative to where it runs or not. The name above is for when that says nothing.
  std::string folder{};
  bool of_parent = false;  // a worker that Python started anew: only its parent tells
  bool operator==(const ProgramName&) const = default;
};

// executable: its name, which decides how the words are read. cmdline: as in /proc/PID/cmdline.
ProgramName program_name(std::string_view executable, std::string_view cmdline);

// The name of a project by its folder, relative to where the process runs: "shop" of /srv/shop, and
// of /srv/shop/dist. Empty if that is not known.
std::string folder_name(std::string_view working_folder, std::string_view folder);

}  // namespace exa
