// The worked example of docs/recording-format.md is a true recording.
#include <cctype>

#include "archive/fixture.h"

using namespace rt;
using namespace rt::archive;
using namespace rt::archive::testing;

namespace {

// The bytes of all ```hex blocks; two spaces start a remark.
std::string bytes_of_document() {
  std::ifstream in(RT_SOURCE_DIR "/docs/recording-format.md");
  std::string bytes;
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    if (line.rfind("```", 0) == 0) {
      inside = line == "```hex";
      continue;
    }
    if (!inside) continue;
    std::istringstream words(line.substr(0, line.find("  ")));
    for (std::string word; words >> word;) {
      REQUIRE(word.size() == 2);
      bytes += static_cast<char>(std::stoi(word, nullptr, 16));
    }
  }
  return bytes;
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    out += fmt::format("{:02X}{}", static_cast<unsigned char>(bytes[i]), i % 16 == 15 ? '\n' : ' ');
  }
  return out;
}

std::string relation_of_example() {
  std::string out = "R";
  put(out, std::uint32_t{16'384});
  out += std::string("public") + '\0' + "t" + '\0' + 'd';
  put(out, std::uint16_t{1});
  out += '\0';
  out += std::string("v") + '\0';
  put(out, std::uint32_t{25});
  put(out, std::int32_t{-1});
  return out;
}

}  // namespace

TEST_CASE("archive: the example of the document is a recording, byte for byte", "[archive]") {
  const Scratch scratch;
  constexpr std::int64_t kCommitted = 1'774'744'200'000'000;  // 2026-03-29 00:30:00 UTC
  Origin where;
  where.system_identifier = 7;
  where.timeline = 1;
  where.server_version = 150'018;
  where.consistent_point = 0x1000F00;
  WriterOptions options;
  options.recording_id.emplace();
  options.recording_id->fill(0xAA);
  const Moment at{Instant(std::chrono::seconds(1)), from_unix_us(kCommitted - 1'000'000)};
  {
    Writer writer = Writer::create(scratch / "a.rtr", where, at, options).value();
    std::string row = "I";
    put(row, std::uint32_t{16'384});
    row += 'N';
    put(row, std::uint16_t{1});
    row += 't';
    put(row, std::uint32_t{2});
    row += "hi";
    const std::int64_t received = kCommitted + 900;
    for (const auto& [lsn, body] :
         {std::pair<std::uint64_t, std::string>{0x1000F80, begin(0x1001000, kCommitted, 700)},
          {0, relation_of_example()},
          {0x1000F80, row},
          {0x1001030, commit(0x1001000, 0x1001030, kCommitted)}}) {
      REQUIRE(writer.append(wal(body, lsn, received), at.now));
    }
    REQUIRE(writer.sync(at.now));
  }
  const std::string made = read_file(scratch / "a.rtr");
  const std::string documented = bytes_of_document();
  INFO("the document should say:\n" << hex(made));
  write_file(scratch / "document.rtr", documented);
  Reader reader = Reader::open(scratch / "document.rtr").value();
  Reader expected = Reader::open(scratch / "a.rtr").value();
  const auto header_bytes = static_cast<std::size_t>(expected.block(0).offset);
  CHECK(documented.substr(0, header_bytes) == made.substr(0, header_bytes));
  // The compressed form may differ between versions of the library, its content may not.
  CHECK(reader.read_block(0).value().raw == expected.read_block(0).value().raw);
  const Seen seen = read_all(reader);
  CHECK(seen.error.empty());
  CHECK(seen.values == std::vector<std::string>{"hi"});
  CHECK(seen.rows == std::vector<Position>{{0x1001000, 0}});
}
