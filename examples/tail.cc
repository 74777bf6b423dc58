// Follows an event stream: reconnects by itself, resumes after the last event, says why it ended.
#include <cstdio>
#include <string>

#include "http/sse_client.h"

int main(int argc, char** argv) {
  const std::string url = argc > 1 ? argv[1] : "http://127.0.0.1:8080/v1/runs/stream";
  const auto end = rt::subscribe(url, {}, [](const rt::sse::EventView& event) {
    std::printf("%.*s\n", static_cast<int>(event.data.size()), event.data.data());
    return std::fflush(stdout) == 0;  // false, when nobody reads any more, ends the subscription
  });
  if (!end) std::fprintf(stderr, "%s\n", end.error().text.c_str());
  return end ? 0 : 1;
}
