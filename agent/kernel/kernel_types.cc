#include "agent/kernel/kernel_types.h"

#include <algorithm>

namespace exa::kernel {

KernelTypes::KernelTypes() : types_(btf__load_vmlinux_btf()) {}

bool KernelTypes::has_tracepoint(const std::string& name) const {
  return has("btf_trace_" + name, BTF_KIND_TYPEDEF);
}

bool KernelTypes::has_function(const std::string& name) const {
  return has(name, BTF_KIND_FUNC);
}

bool KernelTypes::has_member(const std::string& structure, std::string_view name) const {
  if (!types_) return false;
  const int id = btf__find_by_name_kind(types_.get(), structure.c_str(), BTF_KIND_STRUCT);
  if (id < 0) return false;
  const btf_type* type = btf__type_by_id(types_.get(), id);
  const btf_member* members = btf_members(type);
  return std::any_of(members, members + btf_vlen(type), [&](const btf_member& member) {
    return name == btf__name_by_offset(types_.get(), member.name_off);
  });
}

bool KernelTypes::has_attach_type(std::string_view name) const {
  if (!types_) return false;
  const int id = btf__find_by_name_kind(types_.get(), "bpf_attach_type", BTF_KIND_ENUM);
  if (id < 0) return false;
  const btf_type* type = btf__type_by_id(types_.get(), id);
  const struct btf_enum* values = ::btf_enum(type);
  return std::any_of(values, values + btf_vlen(type), [&](const struct btf_enum& value) {
    return name == btf__name_by_offset(types_.get(), value.name_off);
  });
}

bool KernelTypes::has(const std::string& name, std::uint32_t kind) const {
  return types_ && btf__find_by_name_kind(types_.get(), name.c_str(), kind) > 0;
}

}  // namespace exa::kernel
