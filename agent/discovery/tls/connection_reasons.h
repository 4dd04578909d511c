// What is told of one process: its TLS libraries as the attacher found them, whether anything goes
// through them as the kernel counted, and what else of its connections is not read.
// Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/discovery/tls/tls_attacher.h"
#include "exa/abi/connection_kinds.h"

namespace exa {

// Of what is not read, for people. kind: an exa_connection_kind.
[[nodiscard]] std::string_view kind_sentence(std::size_t kind);

// TLS was begun, and no plaintext of it was seen.
[[nodiscard]] bool is_unread_tls(const exa_connection_counts& counts);

// Does a use's reason say that something is not read?
[[nodiscard]] bool is_unread_reason(std::string_view reason);

// uses: what was found, of a process that the attacher knows. A library is called read once
// something went through its probes: it may be linked in and idle. Empty: nothing to tell.
[[nodiscard]] std::vector<TlsUse> told_uses(std::vector<TlsUse> uses, const std::string& executable,
                                            const exa_connection_counts& counts);

}  // namespace exa
