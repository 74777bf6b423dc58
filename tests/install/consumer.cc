// What a stranger writes against the installed library: public headers, one parser, one line of
// output.
#include <base/position.h>
#include <base/units.h>

#include <cstdio>

int main() {
  const auto position = rt::Position::parse("000000014D7E3B28-00000002");
  const auto pause = rt::parse_duration("1.5s");
  if (!position || !pause) return 1;
  std::printf("%s %s\n", position->text().c_str(), rt::format_duration(*pause).c_str());
  return 0;
}
