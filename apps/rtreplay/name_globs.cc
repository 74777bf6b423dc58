#include "rtreplay/name_globs.h"

#include <fnmatch.h>

#include <algorithm>

namespace rt::rtreplay {
namespace {

template <typename Matches>
bool judge(const std::vector<std::string>& wanted, const std::vector<std::string>& unwanted,
           Matches&& matches) {
  return (wanted.empty() || std::any_of(wanted.begin(), wanted.end(), matches)) &&
         std::none_of(unwanted.begin(), unwanted.end(), matches);
}

}  // namespace

NameGlobs::NameGlobs(std::vector<std::string> patterns) {
  for (std::string& pattern : patterns) {
    if (!pattern.empty() && pattern.front() == '!')
      unwanted_.push_back(pattern.substr(1));
    else
      wanted_.push_back(std::move(pattern));
  }
}

bool NameGlobs::match(const std::string& name) const {
  return judge(wanted_, unwanted_, [&](const std::string& pattern) {
    return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
  });
}

bool NameGlobs::match_table(const std::string& schema, const std::string& table) const {
  const std::string whole = schema + "." + table;
  return judge(wanted_, unwanted_, [&](const std::string& pattern) {
    const std::string& name = pattern.find('.') == std::string::npos ? table : whole;
    return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
  });
}

}  // namespace rt::rtreplay
