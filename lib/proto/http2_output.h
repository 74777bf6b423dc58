// What a session has to say: gathers at the end, is written from the front. Holds no buffer at
// rest, and at most twice what is not written yet. One thread at a time.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rt::http2 {

class Output {
 public:
  std::string& text() { return text_; }  // to append to
  std::string_view unsent() const { return std::string_view(text_).substr(at_); }
  void sent(std::size_t bytes) {
    at_ += bytes;
    if (at_ == text_.size()) {
      at_ = 0;
      std::string().swap(text_);
    } else if (at_ > text_.size() / 2) {
      text_.erase(0, at_);
      at_ = 0;
    }
  }

 private:
  std::string text_;
  std::size_t at_ = 0;
};

}  // namespace rt::http2
