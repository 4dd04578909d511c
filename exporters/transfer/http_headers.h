// The headers of a request, as libcurl takes them.
#pragma once

#include <memory>
#include <string>

struct curl_slist;

namespace exa {

class HttpHeaders {
 public:
  // False: out of memory. The name and the value are such as HTTP allows, see header_allowed.
  [[nodiscard]] bool add(const std::string& name, const std::string& value);
  // Keeps libcurl from sending a header of its own.
  [[nodiscard]] bool leave_out(const std::string& name);
  [[nodiscard]] curl_slist* list() const { return list_.get(); }

 private:
  struct Release {
    void operator()(curl_slist* list) const noexcept;
  };
  [[nodiscard]] bool append(const std::string& line);

  std::unique_ptr<curl_slist, Release> list_;
};

// A header that stands in one line and splits no request.
bool header_allowed(const std::string& name, const std::string& value);

}  // namespace exa
