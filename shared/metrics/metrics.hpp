// Prometheus metrics of a service (prometheus-cpp underneath).
#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <map>
#include <memory>
#include <string>

namespace shared::metrics {

class Registry {
  public:
    Registry();

    prometheus::Counter& counter(const std::string& name, const std::string& help,
                                 const std::map<std::string, std::string>& labels = {});
    prometheus::Gauge& gauge(const std::string& name, const std::string& help,
                             const std::map<std::string, std::string>& labels = {});
    // Latency histogram in seconds with buckets from 1 ms to 10 s.
    prometheus::Histogram& latency(const std::string& name, const std::string& help,
                                   const std::map<std::string, std::string>& labels = {});

    // Text exposition format 0.0.4.
    std::string render() const;

  private:
    std::shared_ptr<prometheus::Registry> registry_;
};

}  // namespace shared::metrics
