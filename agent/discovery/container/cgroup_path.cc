#include "agent/discovery/container/cgroup_path.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "exa/base/hex.h"
#include "exa/base/take_until.h"

namespace exa {
namespace {

constexpr std::size_t kIdDigits = 64;
constexpr std::size_t kStaticUidDigits = 32;
constexpr std::size_t kUuidLength = 36;
constexpr std::size_t kMaxNameBytes = 255;

bool is_container_id(std::string_view text) {
  return text.size() == kIdDigits && is_lower_hex(text);
}

bool strip_suffix(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return false;
  text.remove_suffix(suffix.size());
  return true;
}

// The uid as the API writes it: systemd slices have '_' where it has '-', as '-' nests slices.
std::optional<std::string> pod_uid_of(std::string_view text) {
  if (text.size() == kStaticUidDigits && is_lower_hex(text)) return std::string(text);
  if (text.size() != kUuidLength) return std::nullopt;
  std::string uid(text);
  for (std::size_t i = 0; i < uid.size(); ++i) {
    const bool separator = i == 8 || i == 13 || i == 18 || i == 23;
    if (separator && uid[i] == '_') uid[i] = '-';
    if (separator ? uid[i] != '-' : !is_lower_hex({&uid[i], 1})) return std::nullopt;
  }
  return uid;
}

struct PodComponent {
  std::string uid;
  PodQos qos = PodQos::kUnknown;
};

// "pod<uid>" of the cgroupfs driver, "[kubelet-]kubepods[-burstable|-besteffort]-pod<uid>.slice" of
// systemd's, the latter also before ":cri-containerd:<id>".
std::optional<PodComponent> pod_of(std::string_view component) {
  component = component.substr(0, component.find(':'));
  const bool slice = strip_suffix(component, ".slice");
  PodComponent pod;
  if (slice) {
    const auto at = component.rfind("-pod");
    if (at == std::string_view::npos) return std::nullopt;
    auto prefix = component.substr(0, at);
    pod.qos = PodQos::kGuaranteed;
    if (strip_suffix(prefix, "-burstable")) pod.qos = PodQos::kBurstable;
    if (strip_suffix(prefix, "-besteffort")) pod.qos = PodQos::kBestEffort;
    if (prefix != "kubepods" && !prefix.ends_with("-kubepods")) return std::nullopt;
    component.remove_prefix(at + 4);
  } else if (component.starts_with("pod")) {
    component.remove_prefix(3);
  } else {
    return std::nullopt;
  }
  auto uid = pod_uid_of(component);
  if (!uid) return std::nullopt;
  pod.uid = std::move(*uid);
  return pod;
}

struct Prefix {
  std::string_view text;
  ContainerRuntime runtime;
};
constexpr std::array<Prefix, 5> kPrefixes = {{{"cri-containerd", ContainerRuntime::kContainerd},
                                              {"nerdctl", ContainerRuntime::kContainerd},
                                              {"crio", ContainerRuntime::kCrio},
                                              {"docker", ContainerRuntime::kDocker},
                                              {"libpod", ContainerRuntime::kPodman}}};

struct ContainerComponent {
  std::string_view id;
  ContainerRuntime runtime = ContainerRuntime::kUnknown;
};

// "<id>", "<runtime>-<id>[.scope]", "...slice:cri-containerd:<id>". The monitors beside a container
// ("crio-conmon-<id>.scope") are none.
std::optional<ContainerComponent> container_of(std::string_view component) {
  strip_suffix(component, ".scope");
  if (component.size() < kIdDigits) return std::nullopt;
  const auto id = component.substr(component.size() - kIdDigits);
  if (!is_container_id(id)) return std::nullopt;
  auto before = component.substr(0, component.size() - kIdDigits);
  if (before.empty()) return ContainerComponent{.id = id};
  const char separator = before.back();
  before.remove_suffix(1);
  if (separator == ':') {
    const auto colon = before.rfind(':');
    if (colon != std::string_view::npos) before.remove_prefix(colon + 1);
  } else if (separator != '-') {
    return std::nullopt;
  }
  for (const auto& prefix : kPrefixes)
    if (before == prefix.text) return ContainerComponent{.id = id, .runtime = prefix.runtime};
  return std::nullopt;
}

// systemd writes bytes that a unit name may not hold as \xNN.
std::string unescaped(std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size() && out.size() < kMaxNameBytes; ++i) {
    unsigned byte = 0;
    if (name.substr(i).starts_with("\\x") && name.size() - i >= 4 &&
        std::from_chars(name.data() + i + 2, name.data() + i + 4, byte, 16).ptr ==
            name.data() + i + 4) {
      out += static_cast<char>(byte);
      i += 3;
    } else {
      out += name[i];
    }
  }
  return out;
}

// "name" of "<prefix>name<suffix>".
std::string_view between(std::string_view text, std::string_view prefix, std::string_view suffix) {
  if (!text.starts_with(prefix) || !text.ends_with(suffix) ||
      text.size() <= prefix.size() + suffix.size())
    return {};
  return text.substr(prefix.size(), text.size() - prefix.size() - suffix.size());
}

void find_machine(std::string_view parent, std::string_view component, CgroupIdentity& found) {
  std::string_view name;
  auto runtime = ContainerRuntime::kNspawn;
  if (parent == "machine.slice") {
    name = between(component, "machine-", ".scope");
    if (name.starts_with("qemu\\x2d")) name = {};  // a virtual machine is no container
    if (name.empty()) name = between(component, "systemd-nspawn@", ".service");
  }
  if (name.empty()) {
    name = between(component, "lxc.payload.", "");
    if (name.empty() && parent == "lxc") name = component;
    if (!name.empty()) runtime = ContainerRuntime::kLxc;
  }
  if (name.empty()) return;
  found.container_name = unescaped(name);
  found.runtime = runtime;
}

// What the component above a bare id says of the runtime.
ContainerRuntime runtime_of_parent(std::string_view parent) {
  if (parent == "docker") return ContainerRuntime::kDocker;
  if (parent == "libpod_parent") return ContainerRuntime::kPodman;
  return ContainerRuntime::kUnknown;
}

// Services that make containers, by a part of their name; their cgroups may lie below their own.
constexpr std::array<std::string_view, 13> kEngines = {
    "docker", "containerd", "crio", "podman", "kubelet", "k3s",  "rke2",
    "k0s",    "microk8s",   "lxc",  "lxd",    "incus",   "nomad"};

bool is_engine(std::string_view service) {
  return std::ranges::any_of(kEngines, [&](std::string_view engine) {
    return service.find(engine) != std::string_view::npos;
  });
}

// How far down a path the kubelet, an engine or systemd chose the names. Below user@UID.service
// they are the user's, below another service or a scope those of who runs there (systemd-run,
// Delegate=).
struct Delegation {
  std::string_view unit;
  bool unit_found = false;  // the outermost counts; a scope has no name of anybody's choosing
  bool names_end = false;   // from here on no container or pod is believed
  bool first = true;

  void see(std::string_view component, bool in_container) {
    const bool user_slice = std::exchange(first, false) && component == "user.slice";
    if (user_slice) names_end = true;
    if (in_container || unit_found) return;
    if (component.starts_with("user@")) {
      names_end = true;
    } else if (const auto name = between(component, "", ".service"); !name.empty()) {
      unit = name;
      unit_found = true;
      // The service of an nspawn container is the container.
      if (!is_engine(name) && !name.starts_with("systemd-nspawn@")) names_end = true;
    } else if (component.ends_with(".scope")) {
      unit_found = true;
      names_end = true;
    }
  }
};

}  // namespace

std::string_view node_cgroup(std::string_view own_path) {
  // Components up to and with the first container of the agent's own path, if there is one more
  // below it: that one is the agent's.
  std::size_t outer_end = 0;
  for (std::size_t begin = 0; begin < own_path.size();) {
    const auto end = std::min(own_path.find('/', begin), own_path.size());
    if (container_of(own_path.substr(begin, end - begin))) {
      if (outer_end != 0) return own_path.substr(0, outer_end);
      outer_end = end;
    }
    begin = end + 1;
  }
  return {};
}

CgroupIdentity identify_cgroup(std::string_view path, std::string_view node) {
  if (!node.empty() && path.starts_with(node) &&
      (path.size() == node.size() || path[node.size()] == '/'))
    path.remove_prefix(node.size());
  CgroupIdentity found;
  Delegation delegation;
  PodQos qos_above = PodQos::kUnknown;
  std::string_view parent;
  while (!path.empty()) {
    const auto component = take_until(path, '/');
    if (component.empty() || component == "..") continue;
    const bool believed = !delegation.names_end;
    delegation.see(component, found.in_container());
    if (component == "kubepods") qos_above = PodQos::kGuaranteed;
    if (component == "burstable") qos_above = PodQos::kBurstable;
    if (component == "besteffort") qos_above = PodQos::kBestEffort;
    // A scope, or a service, is itself one that systemd named.
    if (!believed) {
      parent = component;
      continue;
    }
    // What stands below a container, a container has named: no pod, and no other container.
    if (found.pod_uid.empty() && found.container_id.empty() && found.container_name.empty()) {
      if (auto pod = pod_of(component)) {
        found.pod_uid = std::move(pod->uid);
        found.qos = pod->qos != PodQos::kUnknown ? pod->qos : qos_above;
      }
    }
    if (found.container_id.empty() && found.container_name.empty()) {
      if (const auto container = container_of(component)) {
        found.container_id = container->id;
        found.runtime = container->runtime != ContainerRuntime::kUnknown
                            ? container->runtime
                            : runtime_of_parent(parent);
      } else if (found.pod_uid.empty()) {
        find_machine(parent, component, found);
      }
    }
    parent = component;
  }
  if (!found.in_container()) found.systemd_unit = unescaped(delegation.unit);
  return found;
}

namespace {

// Nothing of its own: the root of the hierarchy, or the service of an engine, which may place its
// containers in other hierarchies only. Not a user's service of that name.
bool leaves_open(std::string_view path) {
  if (path.find_first_not_of("/.") == std::string_view::npos) return true;
  return !path.contains("user.slice/") && !path.contains("user@") &&
         is_engine(identify_cgroup(path).systemd_unit);
}

}  // namespace

bool settles_identity(std::string_view unified_path) {
  return identify_cgroup(unified_path).in_container() || !leaves_open(unified_path);
}

std::string choose_cgroup_path(std::string_view proc_cgroup) {
  // By rank: unified, systemd's, the longest of the others.
  std::array<std::string_view, 3> paths;
  std::string_view placed;
  while (!proc_cgroup.empty()) {
    auto line = take_until(proc_cgroup, '\n');
    const auto hierarchy = take_until(line, ':');
    const auto controllers = take_until(line, ':');
    if (!line.starts_with('/')) continue;
    if (hierarchy == "0" && controllers.empty())
      paths[0] = line;
    else if (controllers == "name=systemd")
      paths[1] = line;
    else if (controllers.starts_with("name="))
      continue;  // limits nothing: no engine places a container there alone
    else if (line.size() > paths[2].size())
      paths[2] = line;
    if (placed.empty() && identify_cgroup(line).in_container()) placed = line;
  }
  for (const auto path : {paths[0], paths[1]})
    if (settles_identity(path)) return std::string(path);
  if (identify_cgroup(paths[2]).in_container()) return std::string(paths[2]);
  if (!placed.empty()) return std::string(placed);
  for (const auto path : paths)
    if (path.size() > 1) return std::string(path);
  return std::string(paths[0].empty() ? paths[1] : paths[0]);
}

std::string_view runtime_name(ContainerRuntime runtime) {
  switch (runtime) {
    case ContainerRuntime::kUnknown:
      return {};
    case ContainerRuntime::kContainerd:
      return "containerd";
    case ContainerRuntime::kCrio:
      return "cri-o";
    case ContainerRuntime::kDocker:
      return "docker";
    case ContainerRuntime::kPodman:
      return "podman";
    case ContainerRuntime::kLxc:
      return "lxc";
    case ContainerRuntime::kNspawn:
      return "systemd-nspawn";
  }
  return {};
}

}  // namespace exa
