// What the admin port shows, as JSON.
#pragma once

#include <string>

#include "gateway/admin/admin.hpp"
#include "gateway/admin/metrics_text.hpp"

namespace gateway::admin {

struct View {
    unsigned status = 200;
    std::string json;
};

View ready_view(const MetricsInput& input);
View routes_view(const MetricsInput& input);
View clusters_view(const MetricsInput& input);
View reload_view(const ReloadResult& result);

}  // namespace gateway::admin
