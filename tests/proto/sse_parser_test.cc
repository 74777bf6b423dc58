// Against a slow reference, against a guard page, at the bounds; memory held by an idle parser.
#include "proto/sse_parser.h"

#include <sys/mman.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>

#include "base/random.h"
#include "proto/line_scan.h"
#include "proto/sse_reference.h"

using namespace rt;
using namespace rt::sse;
using namespace std::string_literals;

namespace {

// The longest strings tried. Each step costs a factor of nine: 8 is for an optimised build.
std::size_t exhaustive_length(std::size_t otherwise) {
  const char* const text = std::getenv("RT_EXHAUSTIVE_LENGTH");
  return text == nullptr ? otherwise : std::strtoul(text, nullptr, 10);
}

// Calls visit with every sequence of up to `length` symbols.
template <typename Visit>
void each_string(const std::vector<std::string>& symbols, std::size_t length, std::string& text,
                 const Visit& visit) {
  visit(text);
  if (length == 0) return;
  for (const std::string& symbol : symbols) {
    text += symbol;
    each_string(symbols, length - 1, text, visit);
    text.resize(text.size() - symbol.size());
  }
}

// REQUIRE in a loop of millions costs more than what it checks.
void check_equal(const Items& expected, const Items& got, const std::string& text) {
  if (expected == got) return;
  std::string hex;
  for (const char c : text) {
    char code[8];
    std::snprintf(code, sizeof code, "%02X ", static_cast<unsigned>(static_cast<unsigned char>(c)));
    hex += code;
  }
  INFO(hex);
  REQUIRE(expected == got);
}

// Bytes that end where unreadable memory begins.
class GuardedBytes {
 public:
  explicit GuardedBytes(std::size_t size_max)
      : page_(static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))),
        room_((size_max / page_ + 1) * page_) {
    void* const memory =
        ::mmap(nullptr, room_ + page_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(memory != MAP_FAILED);
    begin_ = static_cast<char*>(memory);
    REQUIRE(::mprotect(begin_ + room_, page_, PROT_NONE) == 0);
  }
  ~GuardedBytes() { ::munmap(begin_, room_ + page_); }
  GuardedBytes(const GuardedBytes&) = delete;
  GuardedBytes& operator=(const GuardedBytes&) = delete;

  std::string_view put(std::string_view text) {
    char* const at = begin_ + room_ - text.size();
    std::copy(text.begin(), text.end(), at);
    return {at, text.size()};
  }

 private:
  std::size_t page_;
  std::size_t room_;
  char* begin_;
};

}  // namespace

namespace {

// Every string of these bytes, after `before`, whole and byte by byte.
void check_all_short_strings(const std::string& before) {
  const std::vector<std::string> symbols = {"\r",  "\n",   ":",    " ",   "a",
                                            "\0"s, "\xEF", "\xBB", "\xBF"};
  std::string text;
  each_string(symbols, exhaustive_length(5), text, [&before](const std::string& s) {
    const std::string stream = before + s + "\n\n";
    const Items expected = reference_parse(stream);
    check_equal(expected, parse_in_steps(stream, stream.size()), stream);
    check_equal(expected, parse_in_steps(stream, 1, {.keep_buffer = false}), stream);
  });
}

}  // namespace

TEST_CASE("sse: agrees with the reference on all short strings of line ends, NUL and BOM bytes",
          "[proto][sse][exhaustive]") {
  check_all_short_strings("");
}

TEST_CASE("sse: agrees with the reference on all short strings behind a field's name",
          "[proto][sse][exhaustive-field]") {
  check_all_short_strings("data");
}

TEST_CASE("sse: agrees with the reference on all short sequences of fields, at every split point",
          "[proto][sse]") {
  const std::vector<std::string> symbols = {"\r", "\n",  ":",     " ",    "data", "id",  "event",
                                            "1",  "\0"s, "retry", "\xC3", "\n\n", "\r\n"};
  std::string text;
  each_string(symbols, std::min<std::size_t>(exhaustive_length(4), 5), text,
              [](const std::string& s) {
                const std::string stream = "data:x\n" + s + "\ndata\n\n";
                const Items expected = reference_parse(stream);
                for (std::size_t at = 0; at <= stream.size(); ++at) {
                  check_equal(expected, parse_split_at(stream, at), stream);
                }
              });
}

TEST_CASE("sse: no byte beyond the input is read", "[proto][sse]") {
  GuardedBytes guarded(512);
  const std::string line =
      "id: 1234567890\nevent: update\ndata: " + std::string(200, 'x') + "\xC3\xA9\n\n:c\r";
  for (std::size_t size = 0; size <= line.size(); ++size) {
    Parser parser;
    Recorder recorder;
    parser.receive(guarded.put(std::string_view(line).substr(0, size)), recorder);
    const std::string_view tail = guarded.put(std::string_view(line).substr(line.size() - size));
    CHECK(find_line_end(tail.data(), tail.data() + tail.size()) <= tail.data() + tail.size());
    CHECK(is_ascii(tail) == (tail.find('\xC3') == std::string_view::npos &&
                             tail.find('\xA9') == std::string_view::npos));
  }
}

TEST_CASE("sse: the line end is found at every place and alignment", "[proto][sse]") {
  for (std::size_t size = 0; size < 150; ++size) {
    for (std::size_t at = 0; at <= size; ++at) {
      for (const char end : {'\r', '\n'}) {
        std::string text(size, '\x8D');  // as CR but for the high bit
        if (at < size) text[at] = end;
        const char* const found = find_line_end(text.data(), text.data() + size);
        REQUIRE(found - text.data() == static_cast<std::ptrdiff_t>(at));
      }
    }
  }
}

TEST_CASE("sse: a walk over line ends finds each of them, at every length", "[proto][sse]") {
  GuardedBytes guarded(512);
  Random random(11);
  for (std::size_t size = 0; size < 300; ++size) {
    std::string text(size, 'x');
    for (char& c : text) {
      if (random.below(20) == 0) c = random.below(2) == 0 ? '\r' : '\n';
    }
    const std::string_view placed = guarded.put(text);
    LineEnds line_ends(placed);
    for (std::size_t i = 0; i < size; ++i) {
      if (text[i] == 'x') continue;
      REQUIRE(line_ends.next() == placed.data() + i);
    }
    REQUIRE(line_ends.next() == placed.data() + size);
  }
}

TEST_CASE("sse: a hundred events in one read come in order", "[proto][sse]") {
  std::string stream;
  Items expected;
  for (int i = 0; i < 100; ++i) {
    stream += "data: message " + std::to_string(i) + "\n\n";
    expected.push_back("message~message " + std::to_string(i) + "~");
  }
  CHECK(parse_in_steps(stream, stream.size()) == expected);
}

TEST_CASE("sse: an event of 13 MB in two reads is one event", "[proto][sse]") {
  std::string payload(13'000'000, 'x');
  for (std::size_t i = 0; i < payload.size(); i += 997)
    payload[i] = static_cast<char>('a' + i % 26);
  const std::string stream = "data: " + payload + "\n\n";
  CHECK(parse_split_at(stream, stream.size() / 2) == Items{"message~" + payload + "~"});
}

TEST_CASE("sse: an event in the caller's bytes is a view into them", "[proto][sse]") {
  Parser parser;
  const std::string stream = "id: 1\nevent: e\ndata: abc\n\n";
  std::string_view bytes = stream;
  const Item item = parser.next(bytes);
  REQUIRE(item.kind == ItemKind::event);
  CHECK(item.event.data.data() == stream.data() + stream.find("abc"));
  CHECK(item.event.event.data() == stream.data() + stream.find("e\n", 6));
  CHECK(bytes.empty());
}

TEST_CASE("sse: the bound holds wherever the stream is split", "[proto][sse]") {
  const ParserOptions options{.event_bytes_max = 40};
  const std::string good = "data: " + std::string(15, 'x') + "\nid: 0123\n\n";  // 16 + 5 + line
  const std::string line = "data: " + std::string(35, 'x') + "\n\n";            // line of 41
  const std::string many = "data: 1234567890\ndata: 1234567890\ndata: 1234567890\ndata: 12\n\n";
  for (std::size_t at = 0; at <= good.size(); ++at) {
    CHECK(parse_split_at(good, at, options).size() == 1);
  }
  for (const std::string& stream : {line, many}) {
    for (std::size_t at = 0; at <= stream.size(); ++at) {
      Parser parser(options);
      Recorder recorder;
      const std::string head = stream.substr(0, at);
      const std::string tail = stream.substr(at);
      const ReceiveStatus first = parser.receive(head, recorder).status;
      const ReceiveStatus second = parser.receive(tail, recorder).status;
      CHECK((first == ReceiveStatus::too_large || second == ReceiveStatus::too_large));
      CHECK(second == ReceiveStatus::too_large);  // it stays so
      CHECK(recorder.items.empty());
      parser.reconnected();
      CHECK(parser.receive("data: b\n\n", recorder).status == ReceiveStatus::drained);
      CHECK(recorder.items == Items{"message~b~"});
    }
  }
}

TEST_CASE("sse: comments and unknown fields do not add up to the bound", "[proto][sse]") {
  Parser parser({.event_bytes_max = 40});
  Recorder recorder;
  for (int i = 0; i < 100; ++i) {
    CHECK(parser.receive(": heartbeat\nunknown: field\n", recorder).status ==
          ReceiveStatus::drained);
  }
  CHECK(recorder.items.size() == 100);
}

TEST_CASE("sse: an endless line is refused at the default bound", "[proto][sse]") {
  Parser parser;
  Recorder recorder;
  const std::string piece(1 << 20, 'x');
  int pieces = 0;
  while (parser.receive(piece, recorder).status == ReceiveStatus::drained) REQUIRE(++pieces < 20);
  CHECK(pieces == 16);
  CHECK(too_large_error().code == Code::refused);
}

TEST_CASE("sse: ids of every length are kept", "[proto][sse]") {
  Parser parser;
  Recorder recorder;
  for (const std::size_t size : {1u, 30u, 31u, 32u, 500u, 40u, 31u, 30u, 3u, 600u}) {
    const std::string id(size, 'i');
    parser.receive("id: " + id + "\n\n", recorder);
    CHECK(parser.last_event_id() == id);
    Parser moved = std::move(parser);
    CHECK(moved.last_event_id() == id);
    parser = std::move(moved);
  }
  parser.receive("id\n\n", recorder);
  CHECK(parser.last_event_id().empty());
}
