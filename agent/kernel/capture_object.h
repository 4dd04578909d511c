// The BPF object of a rung, whatever its programs hang on: what is set before it is loaded, the
// programs that see calls, and the maps and programs that every rung has, by name.
// Inside this room only. Owned by CapturePrograms.
#pragma once

#include <bpf/libbpf.h>

#include <cstdint>
#include <memory>
#include <span>

#include "agent/kernel/handles.h"

struct exa_capture_config;

namespace exa::kernel {

class CaptureObject {
 public:
  // Programs of one direction: the first sees every call, those behind it are its spares.
  using Direction = std::span<const char* const>;

  virtual ~CaptureObject() = default;

  [[nodiscard]] virtual bpf_object& object() const = 0;
  virtual int load() = 0;  // 0 or a negative errno
  // Before load().
  [[nodiscard]] virtual exa_capture_config& config() const = 0;
  [[nodiscard]] virtual std::uint32_t& tls_enabled() const = 0;
  // After load(): shared with the programs.
  [[nodiscard]] virtual std::uint32_t& generation() const = 0;

  [[nodiscard]] Direction received() const { return received_; }
  [[nodiscard]] Direction sent() const { return sent_; }

 protected:
  CaptureObject(Direction received, Direction sent) : received_(received), sent_(sent) {}

 private:
  Direction received_;
  Direction sent_;
};

// Skeleton: what bpftool makes of the object of a rung.
template <class Skeleton>
std::unique_ptr<CaptureObject> capture_object(CaptureObject::Direction received,
                                              CaptureObject::Direction sent) {
  class Object final : public CaptureObject {
   public:
    Object(Skeleton* skeleton, Direction received, Direction sent)
        : CaptureObject(received, sent), skeleton_(skeleton) {}
    bpf_object& object() const override { return *skeleton_->obj; }
    int load() override { return Skeleton::load(skeleton_.get()); }
    exa_capture_config& config() const override {
      return const_cast<exa_capture_config&>(skeleton_->rodata->exa_config);
    }
    std::uint32_t& tls_enabled() const override {
      return const_cast<std::uint32_t&>(skeleton_->rodata->exa_tls_enabled);
    }
    std::uint32_t& generation() const override { return skeleton_->data->exa_generation; }

   private:
    std::unique_ptr<Skeleton, Releaser<Skeleton::destroy>> skeleton_;
  };
  Skeleton* const opened = Skeleton::open();
  return opened ? std::make_unique<Object>(opened, received, sent) : nullptr;
}

}  // namespace exa::kernel
