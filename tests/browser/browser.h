// A headless Chromium of the test's own, driven through chromedriver. It dies with the test, and
// its profile with it. Everything fails the test (throws) when it cannot be had. Source:
// https://www.w3.org/TR/webdriver2/
#pragma once

#include <sys/types.h>

#include <nlohmann/json.hpp>
#include <string>

#include "base/clock.h"

namespace rt::test {

class Browser {
 public:
  struct Options {
    bool any_certificate = false;  // also one that nobody has signed
  };
  Browser() : Browser(Options{}) {}
  explicit Browser(const Options& options);
  ~Browser();
  Browser(const Browser&) = delete;
  Browser& operator=(const Browser&) = delete;

  void open(const std::string& url);
  // The body of a function: "return document.title".
  nlohmann::json run(const std::string& script);
  // As a person does: scrolls there, clicks, types. `selector` is CSS and must match.
  void click(const std::string& selector);
  void type(const std::string& selector, const std::string& text);  // instead of what is there
  std::string text(const std::string& selector);
  // Looks until the script returns true.
  bool eventually(const std::string& script, Duration patience = std::chrono::seconds(20));
  // What the page complained about since the last call: [{"level","message","source"}, ...].
  nlohmann::json complaints();
  // The page in that size; "light" or "dark". Sizes in CSS pixels. As a PNG.
  void look(int width, int height, const std::string& scheme);
  std::string screenshot();

 private:
  struct Answer {
    long status = 0;
    nlohmann::json value{};
  };
  Answer exchange(const std::string& path, const nlohmann::json& body);
  nlohmann::json post(const std::string& path, const nlohmann::json& body);
  void act(const std::string& selector, const std::string& command, const nlohmann::json& body);
  nlohmann::json devtools(const std::string& command, const nlohmann::json& parameters);
  std::string element(const std::string& selector);

  std::string folder_;
  std::string driver_url_;
  pid_t driver_ = -1;
  std::string session_;
};

}  // namespace rt::test
