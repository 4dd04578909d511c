#include "exporters/openmetrics/scrape_cache.h"

#include "exporters/encoding/gzip.h"
#include "exporters/openmetrics/writer.h"

namespace exa {

ExemplarShelf::Losses ScrapeCache::set(std::shared_ptr<const MetricBatch> batch) {
  if (!batch) return {};
  const std::lock_guard lock(mutex_);
  newest_ = std::move(batch);
  return shelf_.add(*newest_);
}

ExemplarStoreState ScrapeCache::exemplar_store() const {
  const std::lock_guard lock(mutex_);
  return shelf_.state();
}

std::shared_ptr<const ScrapeBody> ScrapeCache::get(ScrapeFormat format, bool gzipped) {
  const bool with_exemplars = format == ScrapeFormat::kOpenMetrics;
  std::shared_ptr<const MetricBatch> batch;
  ShownExemplars exemplars;
  {
    const std::lock_guard lock(mutex_);
    batch = newest_;
    if (with_exemplars && (batch != rendered_ || !bodies_[1].plain)) exemplars = shelf_.show();
  }
  if (batch != rendered_) {
    bodies_ = {};
    rendered_ = batch;
  }
  Bodies& bodies = bodies_[with_exemplars ? 1 : 0];
  if (!bodies.plain) {
    Rendered rendered =
        with_exemplars ? render_openmetrics(*batch, exemplars) : render_text(*batch);
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
