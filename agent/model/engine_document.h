// The files in which engines write down what their containers are called. The prober says which one
// it opened, the pipeline reads it.
#pragma once

#include <cstdint>

namespace exa {

enum class EngineDocument : std::uint8_t {
  kDockerConfig = 1,
  kOciBundle = 2,
  kPodmanContainers = 3,
};

}  // namespace exa
