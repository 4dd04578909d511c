// One path of the endpoint and what stands there. Knows no HTTP library.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct MHD_Connection;

namespace exa {

// A GET or HEAD, while it is answered.
class PageRequest {
 public:
  explicit PageRequest(MHD_Connection* connection) : connection_(connection) {}
  // A stranger's bytes; empty: not sent.
  [[nodiscard]] std::string_view header(const char* name) const;

 private:
  MHD_Connection* const connection_;
};

struct PageAnswer {
  unsigned status = 200;
  std::vector<std::pair<const char*, const char*>> headers{};
  // Lives as long as its owner, which is kept until the last byte is written.
  std::string_view body{};
  std::shared_ptr<const void> owner{};
};

// The text is the answer's own.
PageAnswer text_answer(unsigned status, std::string text,
                       const char* content_type = "text/plain; charset=utf-8");

struct Route {
  std::string path;  // "/metrics"
  std::string what;  // stands there, in words for the page at "/"
  // On the server's thread.
  std::function<PageAnswer(const PageRequest&)> answer;
};

}  // namespace exa
