// Names given by patterns: `--table orders --table 'audit.*' --table '!audit.log'`. Pure.
#pragma once

#include <string>
#include <vector>

namespace rt::rtreplay {

class NameGlobs {
 public:
  // * and ? as in a shell; a leading ! takes names away. Only patterns with ! mean all others.
  explicit NameGlobs(std::vector<std::string> patterns = {});

  bool empty() const { return wanted_.empty() && unwanted_.empty(); }
  // Without any pattern: every name.
  bool match(const std::string& name) const;
  // A pattern without a dot means the table in any schema.
  bool match_table(const std::string& schema, const std::string& table) const;

 private:
  std::vector<std::string> wanted_;
  std::vector<std::string> unwanted_;
};

}  // namespace rt::rtreplay
