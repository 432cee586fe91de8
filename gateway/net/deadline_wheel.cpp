#include "gateway/net/deadline_wheel.hpp"

#include <algorithm>

namespace gateway::net {

Timed::~Timed() {
    if (next_) {
        previous_->next_ = next_;
        next_->previous_ = previous_;
    }
}

DeadlineWheel::DeadlineWheel() {
    for (Head& head : slots_) {
        head.previous_ = &head;
        head.next_ = &head;
    }
}

void DeadlineWheel::unlink(Timed& item) {
    if (!item.next_) return;
    item.previous_->next_ = item.next_;
    item.next_->previous_ = item.previous_;
    item.next_ = item.previous_ = nullptr;
    item.slot_tick_ = 0;
}

void DeadlineWheel::link(Timed& item, std::uint32_t tick) {
    // Beyond the wheel's span: the last slot of this round, where it will be looked at and moved on.
    tick = std::min(tick, now_ + kSlots - 1);
    Timed& head = slots_[tick % kSlots];
    item.previous_ = head.previous_;
    item.next_ = &head;
    head.previous_->next_ = &item;
    head.previous_ = &item;
    item.slot_tick_ = tick;
}

void DeadlineWheel::set(Timed& item, std::chrono::milliseconds after) {
    const auto ticks =
        std::clamp<std::int64_t>((after + kTick - std::chrono::milliseconds(1)) / kTick, 0, 1U << 30);
    // +1: the current tick has begun already, and a deadline must never be early.
    item.due_ = now_ + static_cast<std::uint32_t>(ticks) + 1;
    if (item.slot_tick_ != 0 && item.slot_tick_ <= item.due_) return;
    unlink(item);
    link(item, item.due_);
}

void DeadlineWheel::tick(std::chrono::milliseconds elapsed) {
    const auto target = static_cast<std::uint32_t>(elapsed / kTick) + 1;
    while (now_ < target) {
        ++now_;
        Timed& head = slots_[now_ % kSlots];
        // Only what is in the list now: a handler may put things into this slot for the next round. The end
        // mark takes part in the list, so that handlers may unlink or destroy any item.
        Head end;
        end.previous_ = head.previous_;
        end.next_ = &head;
        head.previous_->next_ = &end;
        head.previous_ = &end;
        while (head.next_ != &end) {
            Timed& item = *head.next_;
            unlink(item);
            if (item.due_ == 0) continue;
            if (item.due_ > now_) {
                link(item, item.due_);
                continue;
            }
            item.due_ = 0;
            item.on_deadline();
        }
        // `end` leaves the list in its destructor.
    }
}

}  // namespace gateway::net
