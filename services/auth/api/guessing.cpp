#include "services/auth/api/guessing.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace auth::api {

namespace asio = boost::asio;

Guessing::Turn::~Turn() {
    for (const auto& key : keys_) {
        auto& line = (*lines_)[key];
        --line.under_way;
        for (auto* timer : line.waiting) timer->cancel();
        forget_if_empty(*lines_, key);
    }
}

void Guessing::Turn::take(std::string key) {
    ++(*lines_)[key].under_way;
    keys_.push_back(std::move(key));
}

// In the waiting coroutine's frame, with its timer.
class Guessing::Place {
  public:
    Place(std::shared_ptr<Lines> lines, const std::string& key, asio::steady_timer& timer)
        : lines_(std::move(lines)), key_(key) {
        auto& waiting = (*lines_)[key_].waiting;
        place_ = waiting.insert(waiting.end(), &timer);
    }
    ~Place() {
        (*lines_)[key_].waiting.erase(place_);
        forget_if_empty(*lines_, key_);
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

  private:
    std::shared_ptr<Lines> lines_;
    const std::string& key_;
    std::list<asio::steady_timer*>::iterator place_;
};

bool Guessing::under_way(const std::string& key) const {
    const auto found = lines_->find(key);
    return found != lines_->end() && found->second.under_way > 0;
}

asio::awaitable<Guessing::Waited> Guessing::wait(std::string key, Deadline deadline) {
    if (std::chrono::steady_clock::now() >= deadline) co_return Waited::expired;
    const auto found = lines_->find(key);
    if (found != lines_->end() && found->second.waiting.size() >= kMostWaiting) co_return Waited::refused;
    asio::steady_timer timer(io_, deadline);
    const Place place(lines_, key, timer);
    boost::system::error_code woken;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    co_return woken ? Waited::woken : Waited::expired;
}

void Guessing::forget_if_empty(Lines& lines, const std::string& key) {
    const auto found = lines.find(key);
    if (found != lines.end() && found->second.under_way == 0 && found->second.waiting.empty())
        lines.erase(found);
}

}  // namespace auth::api
