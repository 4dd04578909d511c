#include "exporters/openmetrics/scrape_cache.h"

#include "exporters/encoding/gzip.h"
#include "exporters/openmetrics/writer.h"

namespace exa {

void ScrapeCache::set(std::shared_ptr<const MetricBatch> batch) {
  if (!batch) return;
  const std::lock_guard lock(mutex_);
  newest_ = std::move(batch);
}

std::shared_ptr<const ScrapeBody> ScrapeCache::get(ScrapeFormat format, bool gzipped) {
  std::shared_ptr<const MetricBatch> batch;
  {
    const std::lock_guard lock(mutex_);
    batch = newest_;
  }
  if (batch != rendered_) {
    bodies_ = {};
    rendered_ = batch;
  }
  Bodies& bodies = bodies_[format == ScrapeFormat::kOpenMetrics ? 1 : 0];
  if (!bodies.plain) {
    Rendered rendered = format == ScrapeFormat::kOpenMetrics ? render_openmetrics(*batch, picker_)
                                                             : render_text(*batch);
    bodies.plain = std::make_shared<const ScrapeBody>(ScrapeBody{
        .bytes = std::move(rendered.text), .exemplars_omitted = rendered.exemplars_omitted});
  }
  if (!gzipped) return bodies.plain;
  if (!bodies.packed) {
    auto packed = gzip(bodies.plain->bytes);
    if (!packed) return bodies.plain;
    bodies.packed = std::make_shared<const ScrapeBody>(
        ScrapeBody{.bytes = std::move(*packed),
                   .gzipped = true,
                   .exemplars_omitted = bodies.plain->exemplars_omitted});
  }
  return bodies.packed;
}

}  // namespace exa
