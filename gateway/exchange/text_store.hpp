#pragma once

#include <deque>
#include <string>
#include <string_view>

namespace gateway::exchange {

// Text that must live as long as the request; no allocation as long as 2 KiB are enough.
class TextStore {
  public:
    TextStore() { store_.reserve(2048); }
    // The view stays good until clear().
    std::string_view keep(std::string_view text) {
        if (text.size() > store_.capacity() - store_.size()) return overflow_.emplace_back(text);
        const std::size_t at = store_.size();
        store_.append(text);
        return {store_.data() + at, text.size()};
    }
    void clear() {
        store_.clear();
        if (!overflow_.empty()) overflow_.clear();
    }

  private:
    std::string store_;
    std::deque<std::string> overflow_;  // does not move its elements
};

}  // namespace gateway::exchange
