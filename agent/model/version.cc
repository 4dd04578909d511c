#include "agent/model/version.h"

namespace exa {

const std::string& agent_version() {
  static const std::string version = EXA_VERSION;
  return version;
}

}  // namespace exa
