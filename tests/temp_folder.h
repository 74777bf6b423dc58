// A folder of a test's own, gone when the test ends.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <stdexcept>
#include <string>

namespace rt::test {

struct TempFolder {
  TempFolder() : path(std::filesystem::temp_directory_path() / "rt-test-XXXXXX") {
    if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("no folder " + path);
  }
  ~TempFolder() {
    std::error_code ignored;  // a server may still be writing: the next run is not disturbed
    std::filesystem::remove_all(path, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  // The path of a file in it.
  std::string operator/(const std::string& name) const { return path + "/" + name; }

  std::string path;
};

}  // namespace rt::test
