// HPACK by libnghttp2, to compare with. Where that is not installed there is no oracle, and what
// needs it says so.
#pragma once

#if EXA_HAS_NGHTTP2

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace exa::hpack {

struct OracleField {
  std::string name;
  std::string value;
  bool never_indexed = false;  // for the encoder only
};

class OracleEncoder {
 public:
  explicit OracleEncoder(std::size_t max_table_bytes) {
    nghttp2_hd_deflater* made = nullptr;
    if (nghttp2_hd_deflate_new(&made, max_table_bytes) != 0) std::abort();
    deflater_.reset(made);
  }

  // SETTINGS_HEADER_TABLE_SIZE of the peer.
  void set_limit(std::uint32_t bytes) {
    if (nghttp2_hd_deflate_change_table_size(deflater_.get(), bytes) != 0) std::abort();
  }

  std::string encode(const std::vector<OracleField>& fields) {
    std::vector<nghttp2_nv> pairs;
    for (const auto& field : fields)
      pairs.push_back({bytes_of(field.name), bytes_of(field.value), field.name.size(),
                       field.value.size(),
                       static_cast<std::uint8_t>(field.never_indexed ? NGHTTP2_NV_FLAG_NO_INDEX
                                                                     : NGHTTP2_NV_FLAG_NONE)});
    std::string block(nghttp2_hd_deflate_bound(deflater_.get(), pairs.data(), pairs.size()), '\0');
    const auto length = nghttp2_hd_deflate_hd(deflater_.get(), bytes_of(block), block.size(),
                                              pairs.data(), pairs.size());
    if (length < 0) std::abort();
    block.resize(static_cast<std::size_t>(length));
    return block;
  }

 private:
  static std::uint8_t* bytes_of(const std::string& text) {
    return const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(text.data()));
  }
  struct Delete {
    void operator()(nghttp2_hd_deflater* deflater) const { nghttp2_hd_deflate_del(deflater); }
  };
  std::unique_ptr<nghttp2_hd_deflater, Delete> deflater_;
};

class OracleDecoder {
 public:
  OracleDecoder() {
    nghttp2_hd_inflater* made = nullptr;
    if (nghttp2_hd_inflate_new(&made) != 0) std::abort();
    inflater_.reset(made);
  }

  void set_limit(std::uint32_t bytes) {
    if (nghttp2_hd_inflate_change_table_size(inflater_.get(), bytes) != 0) std::abort();
  }

  // Calls sink(name, value) for each field. False if the block is invalid: no other may follow.
  template <typename Sink>
  bool decode(std::string_view block, Sink&& sink) {
    const auto* at = reinterpret_cast<const std::uint8_t*>(block.data());
    auto left = block.size();
    for (;;) {
      nghttp2_nv pair;
      int flags = 0;
      const auto read =
          nghttp2_hd_inflate_hd2(inflater_.get(), &pair, &flags, at, left, /*in_final=*/1);
      if (read < 0) return false;
      at += read;
      left -= static_cast<std::size_t>(read);
      if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0)
        sink(std::string_view(reinterpret_cast<const char*>(pair.name), pair.namelen),
             std::string_view(reinterpret_cast<const char*>(pair.value), pair.valuelen));
      if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) {
        nghttp2_hd_inflate_end_headers(inflater_.get());
        return true;
      }
    }
  }

  // All fields of a block; nothing if it is invalid.
  std::optional<std::vector<std::pair<std::string, std::string>>> decode(std::string_view block) {
    std::vector<std::pair<std::string, std::string>> fields;
    const bool valid = decode(block, [&](std::string_view name, std::string_view value) {
      fields.emplace_back(name, value);
    });
    if (!valid) return std::nullopt;
    return fields;
  }

 private:
  struct Delete {
    void operator()(nghttp2_hd_inflater* inflater) const { nghttp2_hd_inflate_del(inflater); }
  };
  std::unique_ptr<nghttp2_hd_inflater, Delete> inflater_;
};

}  // namespace exa::hpack

#endif
