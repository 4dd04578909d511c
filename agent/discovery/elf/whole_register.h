// The registers of x86-64 by their whole: RAX, of which AL, AX and EAX are parts. Pure.
#pragma once

#include <Zydis/Register.h>

namespace exa {

inline ZydisRegister whole_register(ZydisRegister part) {
  return ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, part);
}

}  // namespace exa
