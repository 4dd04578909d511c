// Files that are replaced while a process reads them again and again: certificates, tokens,
// resolver settings.
#pragma once

#include <set>
#include <string>

namespace exa {

// The folders in which path lies now or will when it is replaced: by a new file of its name, or by
// a link on the way that leads elsewhere, as Kubernetes (..data) and ACME clients do it. Never "/".
std::set<std::string> folders_of(const std::string& path);

// Nobody can put another file in its place: it is mounted there by itself, as container runtimes
// mount /etc/resolv.conf and /etc/hosts.
bool stays_in_place(const std::string& path);

}  // namespace exa
