#include "shared/metrics/metrics.hpp"

#include <catch2/catch.hpp>

#include "shared/metrics/count_up_to.hpp"

TEST_CASE("a count kept elsewhere is exported as a counter that never falls") {
    shared::metrics::Registry registry;
    auto& counter = registry.counter("failures_total", "Failures");
    const auto exported = [&](const char* value) {
        const auto text = registry.render();
        CHECK(text.find("# TYPE failures_total counter\n") != std::string::npos);
        CHECK(text.find("\nfailures_total " + std::string(value) + "\n") != std::string::npos);
    };
    shared::metrics::count_up_to(counter, 0);
    exported("0");
    shared::metrics::count_up_to(counter, 3);
    shared::metrics::count_up_to(counter, 3);
    exported("3");
    shared::metrics::count_up_to(counter, 2);
    exported("3");
    shared::metrics::count_up_to(counter, 4);
    exported("4");
}
