// The filters; pipeline.cpp says in which order they run and why.
#pragma once

#include "gateway/pipeline/pipeline.hpp"

namespace gateway::pipeline {

Verdict client_address(Context&);
Verdict names(Context&);
Verdict route(Context&);
Verdict cors(Context&);
Verdict body_limit(Context&);
Verdict early_rate_limits(Context&);
Verdict auth(Context&);
Verdict claim_rate_limits(Context&);

}  // namespace gateway::pipeline
