// What the kernel's own type information (BTF) says that it has. Inside this room only.
#pragma once

#include <string>
#include <string_view>

#include "agent/kernel/handles.h"

namespace exa::kernel {

class KernelTypes {
 public:
  KernelTypes();  // of the running kernel

  // False: the kernel says nothing of itself, and all else is false too.
  [[nodiscard]] bool known() const { return types_ != nullptr; }
  [[nodiscard]] bool has_tracepoint(const std::string& name) const;
  [[nodiscard]] bool has_function(const std::string& name) const;
  [[nodiscard]] bool has_member(const std::string& structure, std::string_view name) const;
  [[nodiscard]] bool has_attach_type(std::string_view name) const;

 private:
  [[nodiscard]] bool has(const std::string& name, std::uint32_t kind) const;
  Btf types_;
};

}  // namespace exa::kernel
