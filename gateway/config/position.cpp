// Where in the text a value stands. The text has been parsed before: this walk only has to skip valid JSON.
#include <algorithm>

#include "gateway/config/section.hpp"

namespace gateway::config {
namespace {

class Walk {
  public:
    explicit Walk(std::string_view text) : text_(text) {}

    // Goes down to the value that `pointer` names, as far as there is one.
    std::size_t go(std::string_view pointer) {
        blanks();
        while (!pointer.empty() && at_ < text_.size()) {
            pointer.remove_prefix(1);
            const auto token = pointer.substr(0, pointer.find('/'));
            pointer.remove_prefix(token.size());
            if (!enter(token)) break;
        }
        return at_;
    }

  private:
    void blanks() {
        while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos)
            ++at_;
    }

    // Reads a string literal; `raw` is what stands between the quotes.
    std::string_view string() {
        const auto begin = ++at_;
        while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
        const auto end = std::min(at_, text_.size());
        at_ = std::min(at_ + 1, text_.size());
        return text_.substr(begin, end - begin);
    }

    void skip_value() {
        int depth = 0;
        do {
            blanks();
            if (at_ >= text_.size()) return;
            const char c = text_[at_];
            if (c == '"') {
                string();
            } else {
                if (c == '{' || c == '[') ++depth;
                if (c == '}' || c == ']') --depth;
                ++at_;
                if (depth == 0 && c != '}' && c != ']')  // a number or a word: to its end
                    while (at_ < text_.size() &&
                           std::string_view(",]} \t\r\n").find(text_[at_]) == std::string_view::npos)
                        ++at_;
            }
        } while (depth > 0);
    }

    // At an object or array: goes to the member or item. Stays where it is if there is none.
    bool enter(std::string_view token) {
        const auto start = at_;
        const bool object = text_[at_] == '{';
        if (!object && text_[at_] != '[') return false;
        ++at_;
        for (std::size_t index = 0;; ++index) {
            blanks();
            if (at_ >= text_.size() || text_[at_] == '}' || text_[at_] == ']') break;
            const auto member = at_;
            bool wanted = !object && std::to_string(index) == token;
            if (object) {
                wanted = same(string(), token);
                blanks();
                ++at_;  // ':'
                blanks();
            }
            if (wanted) {
                // the key's line says more than the line where a value starts
                if (object && (text_[at_] != '{' && text_[at_] != '[')) at_ = member;
                return true;
            }
            skip_value();
            blanks();
            if (at_ < text_.size() && text_[at_] == ',') ++at_;
        }
        at_ = start;
        return false;
    }

    // A key as written against a pointer's token ("~1" is '/', "~0" is '~').
    static bool same(std::string_view key, std::string_view token) {
        std::string plain;
        for (std::size_t i = 0; i < token.size(); ++i) {
            if (token[i] == '~' && i + 1 < token.size())
                plain += token[++i] == '1' ? '/' : '~';
            else
                plain += token[i];
        }
        return key == plain;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace

std::size_t line_of(std::string_view text, std::string_view pointer) {
    const auto offset = Walk(text).go(pointer);
    return 1 + static_cast<std::size_t>(
                   std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(offset), '\n'));
}

}  // namespace gateway::config
