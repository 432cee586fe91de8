// Deadlines with 100 ms resolution. Moving a deadline later is one store; the object stays in its old slot
// and is put where it belongs when that slot comes round ("lazy"). So a phase of a request costs no timer.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace gateway::net {

class DeadlineWheel;

// Something with at most one deadline at a time. Leaves the wheel when it is destroyed.
class Timed {
  public:
    virtual ~Timed();
    Timed(const Timed&) = delete;
    Timed& operator=(const Timed&) = delete;

  protected:
    Timed() = default;
    // The deadline is over; it is not armed any more.
    virtual void on_deadline() = 0;

  private:
    friend class DeadlineWheel;
    Timed* previous_ = nullptr;  // intrusive list of the slot
    Timed* next_ = nullptr;
    std::uint32_t due_ = 0;        // tick; 0: none
    std::uint32_t slot_tick_ = 0;  // the tick it will be looked at; 0: not in the wheel
};

class DeadlineWheel {
  public:
    static constexpr std::chrono::milliseconds kTick{100};

    DeadlineWheel();

    // Never early, at most one tick late (plus how late tick() is called).
    void set(Timed& item, std::chrono::milliseconds after);
    void clear(Timed& item) { item.due_ = 0; }
    bool armed(const Timed& item) const { return item.due_ != 0; }

    // Time in ticks; coarse, good enough for "how long has it been idle".
    std::uint32_t now() const { return now_; }
    // Advances to `elapsed` since the wheel was made and calls what is due.
    void tick(std::chrono::milliseconds elapsed);

  private:
    friend class Timed;
    static constexpr std::uint32_t kSlots = 1024;  // 102.4 s; what is later is looked at once a round

    // Head of a slot's list.
    class Head : public Timed {
        void on_deadline() override {}
    };
    void link(Timed& item, std::uint32_t tick);
    static void unlink(Timed& item);

    std::array<Head, kSlots> slots_;
    std::uint32_t now_ = 1;
};

}  // namespace gateway::net
