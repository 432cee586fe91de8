#include "gateway/net/deadline_wheel.hpp"

#include <catch2/catch.hpp>
#include <memory>
#include <vector>

namespace gateway::net {

using std::chrono::milliseconds;

namespace {

class Item : public Timed {
  public:
    explicit Item(std::function<void()> f = {}) : f_(std::move(f)) {}
    int fired = 0;

  private:
    void on_deadline() override {
        ++fired;
        if (f_) f_();
    }
    std::function<void()> f_;
};

}  // namespace

TEST_CASE("a deadline is never early and at most two ticks late") {
    DeadlineWheel wheel;
    Item item;
    wheel.set(item, milliseconds(1000));
    wheel.tick(milliseconds(1000));
    CHECK(item.fired == 0);
    wheel.tick(milliseconds(1200));
    CHECK(item.fired == 1);
    wheel.tick(milliseconds(10'000));
    CHECK(item.fired == 1);
}

TEST_CASE("moving a deadline later, earlier, or away is honoured") {
    DeadlineWheel wheel;
    Item item;
    wheel.set(item, milliseconds(500));
    wheel.tick(milliseconds(400));
    wheel.set(item, milliseconds(500));
    wheel.tick(milliseconds(800));
    CHECK(item.fired == 0);
    wheel.tick(milliseconds(1100));
    CHECK(item.fired == 1);

    wheel.set(item, milliseconds(60'000));
    wheel.set(item, milliseconds(200));
    wheel.tick(milliseconds(1500));
    CHECK(item.fired == 2);

    wheel.set(item, milliseconds(200));
    wheel.clear(item);
    CHECK_FALSE(wheel.armed(item));
    wheel.tick(milliseconds(5000));
    CHECK(item.fired == 2);
}

TEST_CASE("deadlines beyond the wheel's span come in their own time") {
    DeadlineWheel wheel;
    Item hour;
    wheel.set(hour, milliseconds(3'600'000));
    wheel.tick(milliseconds(3'600'000));
    CHECK(hour.fired == 0);
    wheel.tick(milliseconds(3'600'200));
    CHECK(hour.fired == 1);
}

TEST_CASE("a handler may destroy others and set itself anew") {
    DeadlineWheel wheel;
    std::vector<std::unique_ptr<Item>> items;
    Item* again = nullptr;
    items.push_back(std::make_unique<Item>([&] { items.resize(1); }));
    for (int i = 0; i < 5; ++i) items.push_back(std::make_unique<Item>());
    for (auto& item : items) wheel.set(*item, milliseconds(100));
    wheel.tick(milliseconds(300));
    CHECK(items.size() == 1);
    CHECK(items[0]->fired == 1);

    Item loop([&] { wheel.set(*again, milliseconds(100)); });
    again = &loop;
    wheel.set(loop, milliseconds(100));
    for (int ms = 400; ms <= 2000; ms += 100) wheel.tick(milliseconds(ms));
    CHECK(loop.fired >= 5);
    CHECK(loop.fired <= 9);
}

TEST_CASE("a late tick fires everything that has become due") {
    DeadlineWheel wheel;
    std::vector<std::unique_ptr<Item>> items;
    for (int i = 0; i < 2000; ++i) {
        items.push_back(std::make_unique<Item>());
        wheel.set(*items.back(), milliseconds(i * 100));
    }
    wheel.tick(milliseconds(100'000));
    int fired = 0;
    for (auto& item : items) fired += item->fired;
    CHECK(fired >= 998);
    CHECK(fired <= 1000);
}

}  // namespace gateway::net
