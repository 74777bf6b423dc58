// Known answers of the event-stream format, each whole, in pieces of one and two bytes, and at
// every split point.
#include <catch2/catch.hpp>

#include "proto/sse_reference.h"

using namespace rt::sse;
using namespace std::string_literals;

namespace {

struct Vector {
  const char* rule;
  std::string input;
  Items items;
};

const std::vector<Vector>& vectors() {
  static const std::vector<Vector> kVectors = {
      {"one space after the colon is dropped", "data: a\n\n", {"message~a~"}},
      {"the space is optional", "data:a\n\n", {"message~a~"}},
      {"only one space is dropped", "data:  a\n\n", {"message~ a~"}},
      {"a tab is not dropped", "data:\ta\n\n", {"message~\ta~"}},
      {"data without a colon is an empty line of data", "data\n\n", {"message~~"}},
      {"data with nothing after the colon dispatches", "data:\n\n", {"message~~"}},
      {"two empty data lines are one line feed", "data\ndata\n\n", {"message~\n~"}},
      {"data lines join with line feeds", "data: a\ndata:b\ndata\n\n", {"message~a\nb\n~"}},
      {"a leading BOM goes",
       "\xEF\xBB\xBF"
       "data: a\n\n",
       {"message~a~"}},
      {"a second BOM makes an unknown field",
       "\xEF\xBB\xBF\xEF\xBB\xBF"
       "data: a\n\n",
       {}},
      {"a later BOM makes an unknown field",
       "data: a\n\n\xEF\xBB\xBF"
       "data: b\n\n",
       {"message~a~"}},
      {"a BOM inside data stays",
       "\xEF\xBB\xBF"
       "data: \xEF\xBB\xBF"
       "a\n\n",
       {"message~\xEF\xBB\xBF"
        "a~"}},
      {"CR CR and CRLF CRLF end blocks",
       "data: a\r\rdata: b\r\n\r\n",
       {"message~a~", "message~b~"}},
      {"line ends may be mixed", "data: a\r\n\ndata: b\n\r\n", {"message~a~", "message~b~"}},
      {"CR then LF is one line end", "data: H\r\ndata: W\r\n\r\n", {"message~H\nW~"}},
      {"CR ends a line at once", "data: a\r\r", {"message~a~"}},
      {"an id stays for later events",
       "id: 1\ndata: a\n\ndata: b\n\n",
       {"message~a~1", "message~b~1"}},
      {"an empty id clears it",
       "id: 1\ndata: a\n\nid\ndata: b\n\ndata: c\n\n",
       {"message~a~1", "message~b~", "message~c~"}},
      {"a block without data still sets the id", "id: 1\n\ndata: a\n\n", {"message~a~1"}},
      {"an id with NUL is ignored",
       "id: 5\ndata: w\n\nid: a\0b\ndata: x\n\n"s,
       {"message~w~5", "message~x~5"}},
      {"an unfinished block sets nothing", "id: 5\ndata: x\n\nid: 7\ndata: y", {"message~x~5"}},
      {"the type resets at a blank line", "event: e\n\ndata: a\n\n", {"message~a~"}},
      {"an empty type is message", "event:\ndata: a\n\n", {"message~a~"}},
      {"the last type wins", "event: a\nevent: b\ndata: x\n\n", {"b~x~"}},
      {"an empty type after a type is message", "event: a\nevent\ndata: x\n\n", {"message~x~"}},
      {"fields come in any order", "data: x\nid: 9\nevent: g\n\n", {"g~x~9"}},
      {"unknown fields are ignored", "event: g\ncolor: blue\ndata: x\n\n", {"g~x~"}},
      {"a name with a trailing space is unknown", "data : x\n\n", {}},
      {"names are case-sensitive", "DATA: x\n\n", {}},
      {"a name with a leading space is unknown", " data: x\n\n", {}},
      {"a longer name is unknown", "datax: x\n\ndatabase\n\n", {}},
      {"comments may stand inside a block",
       ":c\ndata: x\n:d\ndata: y\n\n",
       {"#c", "#d", "message~x\ny~"}},
      {"a comment alone dispatches nothing", ": only\n\n", {"#only"}},
      {"blank lines dispatch nothing", "\n\n\n", {}},
      {"only the first colon separates", "data: a:b: c\n\n", {"message~a:b: c~"}},
      {"each ill-formed byte becomes U+FFFD",
       "data: a\xFF\xFE"
       "b\n\n",
       {"message~a\xEF\xBF\xBD\xEF\xBF\xBD"
        "b~"}},
      {"a cut sequence becomes one U+FFFD", "data: \xE2\x82\n\n", {"message~\xEF\xBF\xBD~"}},
      {"ill-formed ids, types and comments are repaired too",
       "id: \xFF\nevent: \xC3\n:\xE2\x82\ndata: x\n\n",
       {"#\xEF\xBF\xBD", "\xEF\xBF\xBD~x~\xEF\xBF\xBD"}},
      {"NUL in data is kept", "data: a\0b\n\n"s, {"message~a\0b~"s}},
      {"VT does not end a line", "data: x\x0By\n\n", {"message~x\x0By~"}},
      {"NEL does not end a line", "data: x\xC2\x85y\n\n", {"message~x\xC2\x85y~"}},
      {"U+2028 does not end a line", "data: x\xE2\x80\xA8y\n\n", {"message~x\xE2\x80\xA8y~"}},
      {"a block without a blank line is dropped", "data: a\n", {}},
      {"a line without an end is dropped", "data: a", {}},
      {"retry is digits", "retry: 1000\n\n", {"!1000"}},
      {"retry takes effect without a blank line", "retry:05\n", {"!5"}},
      {"retry with anything else is ignored",
       "retry: 1000x\nretry: -1\nretry: +1\nretry: 1.5\nretry:  9\nretry\nretry:\nretry: 9 \n\n",
       {}},
      {"leading zeros of a retry say nothing", "retry: 0000000000000000000000004\n", {"!4"}},
      {"an absurd retry is clamped to a day", "retry: 99999999999999999999\n", {"!86400000"}},
      {"a bad retry leaves a good one",
       "retry: 2000\nretry: 1000x\ndata: x\n\n",
       {"!2000", "message~x~"}},
      {"a sequence split over reads is whole",
       "data: euro \xE2\x82\xAC\n\n",
       {"message~euro \xE2\x82\xAC~"}},
      {"ssepg's head",
       "retry: 5000\n\n: listening t\n\nevent: message\ndata: {}\n\n",
       {"!5000", "#listening t", "message~{}~"}},
      {"eventrail's retry is a comment",
       ": retry 3000\n\nevent: app.x\ndata: {}\n\n",
       {"#retry 3000", "app.x~{}~"}},
      {"id, event, data and a keepalive",
       "id: 8\nevent: delta\ndata: {}\n\n: keepalive\n\n",
       {"delta~{}~8", "#keepalive"}},
      {"retry and comments inside a block lose nothing",
       "id: 3\nretry: 7\nevent: e\n:c\ndata: x\nretry: 8\ndata: y\n\n",
       {"!7", "#c", "!8", "e~x\ny~3"}},
  };
  return kVectors;
}

}  // namespace

TEST_CASE("sse: known answers hold whole and in pieces of one and two bytes", "[proto][sse]") {
  for (const Vector& v : vectors()) {
    INFO(v.rule);
    CHECK(reference_parse(v.input) == v.items);
    CHECK(parse_in_steps(v.input, v.input.size()) == v.items);
    CHECK(parse_in_steps(v.input, 1) == v.items);
    CHECK(parse_in_steps(v.input, 2) == v.items);
  }
}

TEST_CASE("sse: known answers hold at every split point, with a kept and with a freed buffer",
          "[proto][sse]") {
  for (const Vector& v : vectors()) {
    for (std::size_t at = 0; at <= v.input.size(); ++at) {
      INFO(v.rule << ", split at " << at);
      CHECK(parse_split_at(v.input, at) == v.items);
      CHECK(parse_split_at(v.input, at, {.keep_buffer = false}) == v.items);
    }
  }
}

TEST_CASE("sse: with repair off, bytes that are not UTF-8 pass unchanged", "[proto][sse]") {
  const std::string input =
      "id: \xFF\nevent: \xC3\ndata: a\xFF\xFE"
      "b\ndata: \xE2\x82\n\n";
  const Items expected = {
      "\xC3~a\xFF\xFE"
      "b\n\xE2\x82~\xFF"};
  for (std::size_t at = 0; at <= input.size(); ++at) {
    CHECK(parse_split_at(input, at, {.repair_utf8 = false}) == expected);
  }
}

TEST_CASE("sse: CR at the end of a read dispatches without waiting for the next byte",
          "[proto][sse]") {
  Parser parser;
  Recorder recorder;
  parser.receive("data: a\r", recorder);
  CHECK(recorder.items.empty());
  parser.receive("\r", recorder);
  CHECK(recorder.items == Items{"message~a~"});
  parser.receive("\n", recorder);  // belongs to the CR before it
  parser.receive("data: b\n\n", recorder);
  CHECK(recorder.items == Items{"message~a~", "message~b~"});
}

TEST_CASE("sse: CR at the end of one read and LF at the start of the next end one line",
          "[proto][sse]") {
  Parser parser;
  Recorder recorder;
  for (const char* piece : {"data: H\r", "\ndata: W\r", "\n\r\n"}) parser.receive(piece, recorder);
  CHECK(recorder.items == Items{"message~H\nW~"});
}

TEST_CASE("sse: the id survives a reconnect, the unfinished block does not", "[proto][sse]") {
  Parser parser;
  Recorder recorder;
  parser.receive("id: 5\ndata: x\n\nid: 7\ndata: y", recorder);
  CHECK(parser.finish());
  CHECK(parser.last_event_id() == "5");
  parser.reconnected();
  parser.receive(
      "\xEF\xBB\xBF"
      "data: z\n\n",
      recorder);
  CHECK(recorder.items == Items{"message~x~5", "message~z~5"});
  CHECK_FALSE(parser.finish());
}

TEST_CASE("sse: an id of a block without data is what a reconnect sends", "[proto][sse]") {
  Parser parser;
  Recorder recorder;
  parser.receive("id: 5\n\n", recorder);
  parser.reconnected();
  CHECK(parser.last_event_id() == "5");
  parser.receive("id:\n\n", recorder);
  CHECK(parser.last_event_id().empty());
}

TEST_CASE("sse: a handler that returns false stops right after that event", "[proto][sse]") {
  struct First : Recorder {
    bool on_event(const EventView& e) {
      Recorder::on_event(e);
      return false;
    }
  };
  Parser parser;
  First first;
  const std::string_view stream = "data: a\r\n\r\ndata: b\n\n";
  const Received received = parser.receive(stream, first);
  CHECK(received.status == ReceiveStatus::stopped);
  CHECK(first.items == Items{"message~a~"});
  parser.receive(stream.substr(received.consumed), first);
  CHECK(first.items == Items{"message~a~", "message~b~"});
}
