#include "exporters/transfer/trust_store.h"

#include <curl/curl.h>

namespace exa {

std::vector<std::string> trust_store() {
  std::vector<std::string> places;
  const auto* const built = curl_version_info(CURLVERSION_NOW);
  if (built->age < CURLVERSION_SEVENTH) return places;
  for (const auto* const place : {built->cainfo, built->capath})
    if (place != nullptr) places.emplace_back(place);
  return places;
}

}  // namespace exa
