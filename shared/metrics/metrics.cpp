#include "shared/metrics/metrics.hpp"

#include <prometheus/text_serializer.h>

namespace shared::metrics {

Registry::Registry() : registry_(std::make_shared<prometheus::Registry>()) {}

prometheus::Counter& Registry::counter(const std::string& name, const std::string& help,
                                       const std::map<std::string, std::string>& labels) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(*registry_).Add(labels);
}

prometheus::Gauge& Registry::gauge(const std::string& name, const std::string& help,
                                   const std::map<std::string, std::string>& labels) {
    return prometheus::BuildGauge().Name(name).Help(help).Register(*registry_).Add(labels);
}

prometheus::Histogram& Registry::latency(const std::string& name, const std::string& help,
                                         const std::map<std::string, std::string>& labels) {
    const prometheus::Histogram::BucketBoundaries buckets{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                          0.25,  0.5,    1,     2.5,  5,     10};
    return prometheus::BuildHistogram().Name(name).Help(help).Register(*registry_).Add(labels, buckets);
}

std::string Registry::render() const {
    return prometheus::TextSerializer().Serialize(registry_->Collect());
}

}  // namespace shared::metrics
