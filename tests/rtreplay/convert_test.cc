// rtreplay convert: out to the formats of others, and back from NDJSON without a loss.
#include <rapidcheck/catch.h>

#include <deque>

#include "base/base64.h"
#include "base/random.h"
#include "base/text.h"
#include "proto/copy_text.h"
#include "proto/pgoutput_writer.h"
#include "rtreplay/line_export.h"
#include "rtreplay/ndjson_import.h"
#include "rtreplay/sample.h"

using namespace rt;
using namespace rt::test;
using nlohmann::json;

namespace {

struct Kept {
  RecordKind kind;
  std::uint64_t lsn;
  std::int64_t received_us;
  std::string body;
  friend bool operator==(const Kept&, const Kept&) = default;
};

// Every record of a recording that is no repetition.
std::vector<Kept> records(const std::string& path) {
  archive::Reader reader = archive::Reader::open(path).value();
  std::vector<Kept> all;
  archive::Entry entry;
  while (reader.next(entry).value()) {
    const RecordView& r = entry.record;
    if (!r.prelude) all.push_back({r.kind, r.lsn, r.received_us, std::string(r.body)});
  }
  return all;
}

std::string lines_of(const std::string& path) {
  archive::ReadOptions read;
  read.committed_only = true;
  archive::Reader reader = archive::Reader::open(path, read).value();
  const auto format = rtreplay::make_ndjson_export();
  std::string out;
  format->begin(reader.header().origin, out);
  archive::Entry entry;
  while (reader.next(entry).value()) format->take(entry, out);
  return out;
}

void import_into(const std::string& path, const std::string& lines) {
  const ManualClock clock;
  std::istringstream in(lines);
  std::string line;
  std::getline(in, line);
  const auto header = rtreplay::NdjsonImport::read_header(line).value();
  auto writer = archive::Writer::create(path, header.value(), moment(clock)).value();
  rtreplay::NdjsonImport import;
  const auto put = [&](const RecordView& record) { return writer.append(record, clock.now()); };
  while (std::getline(in, line)) {
    const auto taken = import.take(line, put);
    INFO(line << (taken ? "" : taken.error().text));
    REQUIRE(taken);
  }
  REQUIRE(import.finish(put));
  REQUIRE(writer.close(clock.now()));
}

// Turns a string of bytes into a recording: each byte decides something, so that a failing one
// shrinks to a short recording.
class Script {
 public:
  explicit Script(std::vector<std::uint8_t> bytes) : bytes_(std::move(bytes)) {}
  bool ended() const { return at_ >= bytes_.size(); }
  std::uint32_t below(std::uint32_t n) { return ended() ? 0 : bytes_[at_++] % n; }
  std::string text() {
    static const std::vector<std::string> kTexts = {"",
                                                    "1",
                                                    "-1.50",
                                                    "say \"hi\"\n\t\\",
                                                    "\xC3\xA9\xE2\x82\xAC",
                                                    std::string("\0x", 2),
                                                    "\xFF\xFE",
                                                    "{\"a\": [1]}",
                                                    "NaN",
                                                    "null",
                                                    "2026-03-29 00:30:00+00",
                                                    std::string(300, 'x')};
    return kTexts[below(static_cast<std::uint32_t>(kTexts.size()))];
  }

 private:
  std::vector<std::uint8_t> bytes_;
  std::size_t at_ = 0;
};

class RecordingOf {
 public:
  RecordingOf(const std::string& path, Script script)
      : script_(std::move(script)),
        writer_(archive::Writer::create(path, origin(), moment(clock_), small()).value()) {
    relation(true);  // as a recorder describes a table before the server does
    while (!script_.ended()) script_.below(4) == 0 ? event() : transaction();
    REQUIRE(writer_.close(clock_.now()));
  }

 private:
  static archive::WriterOptions small() {
    archive::WriterOptions options;
    options.block_raw_bytes = 500;
    return options;
  }
  void put(RecordKind kind, const std::string& body, bool prelude = false) {
    const auto number = static_cast<std::int64_t>(++number_);
    REQUIRE(writer_.append({kind, prelude, script_.below(3) * number_, kStart + number, body},
                           clock_.now()));
  }
  pgoutput::Value value(bool may_be_unchanged) {
    using pgoutput::ValueKind;
    const std::uint32_t kind = script_.below(may_be_unchanged ? 6 : 5);
    if (kind == 0) return {ValueKind::null, {}};
    if (kind == 5) return {ValueKind::unchanged, {}};
    texts_.push_back(script_.text());
    return {kind == 4 ? ValueKind::binary : ValueKind::text, texts_.back()};
  }
  std::vector<pgoutput::Value> row(bool may_be_unchanged) {
    std::vector<pgoutput::Value> all;
    for (std::uint32_t i = 0; i < columns_; ++i) all.push_back(value(may_be_unchanged));
    return all;
  }
  std::vector<pgoutput::Value> key() {
    std::vector<pgoutput::Value> all(columns_);
    all[0] = value(false);
    return all;
  }
  void relation(bool prelude) {
    columns_ = 1 + script_.below(4);
    std::vector<std::string> names = {"id", "a \"b\"", "\xC3\xBC", "doc"};
    std::vector<pgoutput::Column> columns;
    for (std::uint32_t i = 0; i < columns_; ++i) {
      columns.push_back({static_cast<std::uint8_t>(i == 0 ? 1 : 0), names[i], 20 + script_.below(8),
                         static_cast<std::int32_t>(script_.below(9)) - 1});
    }
    std::string body;
    pgoutput::append_relation(body, 7, script_.below(2) == 0 ? "public" : "", "t",
                              "dnfi"[script_.below(4)], columns);
    put(RecordKind::wal, body, prelude);
  }
  void transaction() {
    const std::uint64_t lsn = 0x10000 + ++number_ * 0x100;
    put(RecordKind::wal, begin(lsn, kStart + static_cast<std::int64_t>(number_) * 1000, 5));
    relation(false);
    for (std::uint32_t n = script_.below(5); n > 0; --n) change_one(lsn);
    put(RecordKind::wal, commit(lsn, lsn + 8, kStart + static_cast<std::int64_t>(number_)));
  }
  void change_one(std::uint64_t lsn) {
    using pgoutput::OldRow;
    std::string body;
    texts_.clear();
    switch (script_.below(9)) {
      case 0:
        pgoutput::append_update(body, 7, OldRow::none, {}, row(true));
        break;
      case 1:
        pgoutput::append_update(body, 7, OldRow::key, key(), row(true));
        break;
      case 2:
        pgoutput::append_update(body, 7, OldRow::full, row(false), row(true));
        break;
      case 3:
        pgoutput::append_delete(body, 7, OldRow::key, key());
        break;
      case 4:
        pgoutput::append_delete(body, 7, OldRow::full, row(false));
        break;
      case 5: {
        const std::vector<std::uint32_t> oids = {7, 8};
        pgoutput::append_truncate(body, static_cast<std::uint8_t>(script_.below(4)), oids);
        break;
      }
      case 6: {
        const std::string content = script_.text();
        pgoutput::append_logical_message(
            body, {static_cast<std::uint8_t>(script_.below(2)), lsn, "pre", content});
        break;
      }
      case 7:
        body = "?" + script_.text();  // a letter of the future
        break;
      default:
        pgoutput::append_insert(body, 7, row(false));
    }
    put(RecordKind::wal, body);
  }
  void event() {
    std::string body;
    const std::string one = script_.text();
    const std::string two = script_.text();
    switch (script_.below(8)) {
      case 0:
        archive::encode(body, archive::SseBody{one, "delta", two});
        return put(RecordKind::sse, body);
      case 1:
        archive::encode(body, archive::NotifyBody{one, two, 99});
        return put(RecordKind::notify, body);
      case 2:
        archive::encode(body, archive::RedisBody{script_.below(2) == 0 ? "" : "1-0", one, two});
        return put(RecordKind::redis, body);
      case 3:
        return put(RecordKind::gap, one);
      case 4:
        return put(RecordKind::mark, one);
      case 5:
        archive::encode(body, archive::SnapshotRowBody{7, "a\t\\N\tb\\tc\td"});
        return put(RecordKind::snapshot_row, body);
      case 6:
        archive::encode(body, archive::KeepaliveBody{5, 6});
        return put(RecordKind::keepalive, body);
      default:
        return put(static_cast<RecordKind>('~'), one);
    }
  }

  ManualClock clock_;
  Script script_;
  archive::Writer writer_;
  std::deque<std::string> texts_;
  std::uint64_t number_ = 0;
  std::uint32_t columns_ = 1;
};

Outcome convert(std::vector<std::string> words, const std::string& input = {}) {
  words.insert(words.begin(), {"rtreplay", "convert"});
  return run(words, input);
}

}  // namespace

TEST_CASE("base64: back to the bytes it was made of, and nothing else is accepted", "[convert]") {
  rc::prop("decode(encode(x)) == x", [](const std::string& bytes) {
    std::string text;
    append_base64(text, bytes);
    RC_ASSERT(decode_base64(text) == bytes);
  });
  for (const char* wrong : {"a", "ab", "abc", "ab=c", "====", "ab*=", "a==="}) {
    CHECK_FALSE(decode_base64(wrong));
  }
}

TEST_CASE("convert: a recording is the same after export and import, whatever it holds",
          "[convert]") {
  rc::prop("import(export(x)) == x", [](const std::vector<std::uint8_t>& script) {
    const Scratch scratch;
    RecordingOf(scratch / "a.rtr", Script(script));
    const std::string lines = lines_of(scratch / "a.rtr");
    import_into(scratch / "b.rtr", lines);
    RC_ASSERT(records(scratch / "b.rtr") == records(scratch / "a.rtr"));
    RC_ASSERT(lines_of(scratch / "b.rtr") == lines);
  });
}

TEST_CASE("convert: by the tool, through a file and through a pipe, with keys that FULL hides",
          "[convert]") {
  const Scratch scratch;
  write_sample(scratch / "a.rtr");
  CHECK(convert({scratch / "a.rtr", "--as", "ndjson", "-o", scratch / "a.ndjson"}).status == 0);
  const Outcome piped = convert({scratch / "a.rtr", "--as", "ndjson"});
  CHECK(piped.out == read_file(scratch / "a.ndjson"));
  const Outcome made = convert({scratch / "a.ndjson", "-o", scratch / "b.rtr"});
  CHECK(made.status == 0);
  CHECK_THAT(made.err, Catch::Contains("9 rows in 2 transactions"));
  CHECK(convert({"-", "-o", scratch / "c.rtr", "-q"}, piped.out).status == 0);
  const Outcome cat = run({"rtreplay", "cat", scratch / "a.rtr"});
  CHECK(run({"rtreplay", "cat", scratch / "b.rtr"}).out == cat.out);
  CHECK(run({"rtreplay", "cat", scratch / "c.rtr"}).out == cat.out);
  CHECK(run({"rtreplay", "diff", scratch / "a.rtr", scratch / "b.rtr"}).status == 0);
  const json facts = json::parse(run({"rtreplay", "info", scratch / "b.rtr", "--json"}).out);
  CHECK(facts["system_identifier"] == std::to_string(origin().system_identifier));
  CHECK(facts["notes"]["slot"] == "test");
}

TEST_CASE("convert: lines of cat make a recording, edited or not", "[convert]") {
  const Scratch scratch;
  write_sample(scratch / "a.rtr");
  const std::string lines = run({"rtreplay", "cat", scratch / "a.rtr"}).out;
  const Outcome made = convert({"-", "-o", scratch / "b.rtr"}, lines);
  INFO(made.err);
  CHECK(made.status == 0);
  const auto before = json_lines(lines);
  const auto after = json_lines(run({"rtreplay", "cat", scratch / "b.rtr"}).out);
  REQUIRE(after.size() == before.size());
  for (std::size_t i = 0; i < after.size(); ++i) {
    for (const char* name : {"id", "op", "rel", "new", "key", "ts", "type", "data"}) {
      INFO(before[i].dump() << after[i].dump());
      CHECK(before[i].value(name, json()) == after[i].value(name, json()));
    }
  }
  // Without the second row, the others keep their ids.
  std::istringstream in(lines);
  std::string kept;
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    if (number++ != 1) kept += line + "\n";
  }
  CHECK(convert({"-", "-o", scratch / "c.rtr"}, kept).status == 0);
  CHECK(json_lines(run({"rtreplay", "cat", scratch / "c.rtr"}).out)[1]["id"] == before[2]["id"]);
}

TEST_CASE("convert: a line that is none of ours is named, and nothing is left behind",
          "[convert]") {
  const Scratch scratch;
  const std::string header =
      R"({"type":"recording","version":1,"system_identifier":"1","timeline":1,)"
      R"("server_version":150018,"consistent_point":"0/1","notes":{}})"
      "\n";
  for (const char* line :
       {"nonsense", "[]", R"({"type":"what"})", R"({"op":"I"})", R"({"type":"begin","lsn":"x"})",
        R"({"op":"I","id":"0000000000000010-00000000","oid":5,"new":{}})",
        R"({"op":"Z","id":"0000000000000010-00000000","rel":"a.b","ts":"2026-01-01T00:00:00Z"})",
        R"({"op":"I","id":"7","rel":"a.b","new":{}})", R"({"type":"event","id":5})",
        R"({"type":"relation","oid":-1})",
        R"({"type":"message","lsn":"0/1","prefix":"a\u0000b","content":""})",
        R"({"type":"record","kind":"kk","body":""})"}) {
    INFO(line);
    const Outcome end = convert({"-", "-o", scratch / "b.rtr"}, header + line + "\n");
    CHECK(end.status == 2);
    CHECK_THAT(end.err, Catch::StartsWith("rtreplay: cannot read line 2 of standard input: "));
    CHECK_FALSE(std::filesystem::exists(scratch / "b.rtr"));
  }
  CHECK(convert({scratch / "b.ndjson", "-o", scratch / "b.rtr"}).status == 2);
  CHECK(convert({"-"}).status == 2);
  write_sample(scratch / "a.rtr");
  CHECK(convert({scratch / "a.rtr", "--as", "xml"}).status == 2);
  CHECK(convert({scratch / "a.rtr", "--as", "csv", "-o", scratch / "a.rtr"}).status == 2);
}

TEST_CASE("convert: lines with any bytes changed are taken or refused, never a crash",
          "[convert]") {
  const Scratch scratch;
  write_sample(scratch / "a.rtr");
  std::vector<std::string> lines;
  std::istringstream in(lines_of(scratch / "a.rtr"));
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  Random random(20261127);
  std::size_t refused = 0;
  for (int round = 0; round < 1000; ++round) {
    auto changed = lines;
    std::string& victim = changed[random.below(changed.size())];
    for (auto n = 1 + random.below(4); n > 0; --n) {
      char& at = victim[random.below(victim.size())];
      // Half of them still look like JSON.
      at = random.below(2) == 0 ? "0:,[]{}\"n"[random.below(9)]
                                : static_cast<char>(random.below(256));
    }
    rtreplay::NdjsonImport import;
    const auto put = [](const RecordView& record) -> Result<void> {
      CHECK(record.body.size() < 10'000);
      return {};
    };
    for (const std::string& line : changed) {
      if (const auto header = rtreplay::NdjsonImport::read_header(line); header && *header)
        continue;
      const auto taken = import.take(line, put);
      if (taken) continue;
      ++refused;
      CHECK(taken.error().code == Code::usage);
      CHECK(taken.error().text.find('\n') == std::string::npos);
    }
  }
  CHECK(refused > 100);
}

TEST_CASE("convert: wal2json's lines of format version 2", "[convert]") {
  const Scratch scratch;
  write_sample(scratch / "a.rtr");
  const auto lines = json_lines(convert({scratch / "a.rtr", "--as", "wal2json"}).out);
  REQUIRE(lines.size() == 13);
  CHECK(lines[0] == json{{"action", "B"},
                         {"xid", 700},
                         {"timestamp", "2026-05-28 20:26:40+00"},
                         {"lsn", "0/1000"}});
  CHECK(lines[1]["action"] == "I");
  CHECK(lines[1]["schema"] == "public");
  CHECK(lines[1]["table"] == "plain");
  CHECK(lines[1]["columns"][0] == json{{"name", "id"}, {"type", "text"}, {"value", "1"}});
  CHECK(lines[1]["pk"] == json::array({{{"name", "id"}, {"type", "text"}}}));
  // What was not sent is absent; without an old row the key is the new one's.
  CHECK(lines[2]["columns"].size() == 1);
  CHECK(lines[2]["identity"] == json::array({{{"name", "id"}, {"type", "text"}, {"value", "1"}}}));
  CHECK(lines[3]["identity"][0]["value"] == "1");
  CHECK(lines[4]["action"] == "D");
  CHECK_FALSE(lines[4].contains("columns"));
  CHECK(lines[5] == json{{"action", "C"},
                         {"xid", 700},
                         {"timestamp", "2026-05-28 20:26:40+00"},
                         {"lsn", "0/1000"},
                         {"nextlsn", "0/1030"}});
  CHECK(lines[6]["timestamp"] == "2026-05-28 20:26:40.01+00");
  CHECK(lines[7]["identity"].size() == 2);  // FULL
  CHECK(lines[9]["action"] == "T");
  CHECK(lines[9]["table"] == "plain");
  CHECK(lines[10]["table"] == "full");
}

TEST_CASE("convert: values of Debezium's connector", "[convert]") {
  const Scratch scratch;
  write_sample(scratch / "a.rtr");
  const auto lines = json_lines(convert({scratch / "a.rtr", "--as", "debezium"}).out);
  REQUIRE(lines.size() == 10);
  CHECK(lines[0]["op"] == "c");
  CHECK(lines[0]["before"].is_null());
  CHECK(lines[0]["after"]["id"] == "1");
  const json& source = lines[0]["source"];
  CHECK(source["connector"] == "postgresql");
  CHECK(source["schema"] == "public");
  CHECK(source["table"] == "plain");
  CHECK(source["txId"] == 700);
  CHECK(source["ts_us"] == kStart);
  CHECK(source["sequence"] == "[null,\"1\"]");
  CHECK(lines[1]["op"] == "u");
  CHECK(lines[1]["after"]["note"] == "__debezium_unavailable_value");
  // Another key: one row goes, one comes.
  CHECK(lines[2]["op"] == "d");
  CHECK(lines[2]["before"] == json{{"id", "1"}, {"note", nullptr}});
  CHECK(lines[3]["op"] == "c");
  CHECK(lines[3]["after"]["id"] == "2");
  CHECK(lines[5]["after"] == json{{"id", "5"}, {"note", "old"}});
  CHECK(lines[5]["before"]["note"] == "old");
  CHECK(lines[7]["op"] == "t");
}

TEST_CASE("convert: CSV has a header, and JSON in its fields", "[convert]") {
  const Scratch scratch;
  write_sample(scratch / "a.rtr");
  const std::string out = convert({scratch / "a.rtr", "--as", "csv"}).out;
  CHECK_THAT(out, Catch::StartsWith("id,ts,xid,op,rel,key,old,new\r\n"));
  CHECK_THAT(out, Catch::Contains(R"(,700,D,public.plain,"{""id"":""2""}","{""id"":""2""}",)"));
  CHECK(std::count(out.begin(), out.end(), '\n') == 10);
}
