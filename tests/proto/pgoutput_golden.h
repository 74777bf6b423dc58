// Reads tests/proto/golden/pgoutput_*.txt and writes messages in the form used there.
#pragma once

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <string>
#include <vector>

#include "base/text.h"
#include "proto/pgoutput.h"

namespace rt::test {

struct Golden {
  std::string says;
  std::string bytes;
  bool in_stream = false;
};

// "4a(78*2100)" to bytes.
inline std::string from_hex(std::string_view hex) {
  const auto byte = [](std::string_view two) { return static_cast<char>(parse_hex(two).value()); };
  std::string bytes;
  while (!hex.empty()) {
    if (hex.front() == '(') {
      const std::size_t end = hex.find(')');
      bytes.append(parse_decimal(hex.substr(4, end - 4)).value(), byte(hex.substr(1, 2)));
      hex.remove_prefix(end + 1);
    } else {
      bytes.push_back(byte(hex.substr(0, 2)));
      hex.remove_prefix(2);
    }
  }
  return bytes;
}

inline std::vector<Golden> read_goldens(const std::string& file) {
  std::ifstream in(std::string(RT_SOURCE_DIR "/tests/proto/golden/") + file);
  REQUIRE(in.good());
  std::vector<Golden> goldens;
  bool in_stream = false;
  std::string says;
  while (std::getline(in, says)) {
    if (says.starts_with('#')) continue;
    std::string hex;
    REQUIRE(std::getline(in, hex));
    goldens.push_back({says, from_hex(hex), in_stream});
    if (says.starts_with("stream start")) in_stream = true;
    if (says == "stream stop") in_stream = false;
  }
  REQUIRE(goldens.size() > 50);
  return goldens;
}

inline std::string quoted(std::string_view bytes) {
  std::string out = "\"";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 32 || byte > 126 || c == '"' || c == '\\') {
      out += fmt::format("\\{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out + "\"";
}

inline std::string says(const pgoutput::TupleView& row) {
  std::string out;
  for (const pgoutput::Value value : row) {
    out += out.empty() ? "" : " ";
    out += static_cast<char>(value.kind);
    if (value.kind == pgoutput::ValueKind::null || value.kind == pgoutput::ValueKind::unchanged)
      continue;
    const bool is_long = value.bytes.size() > 40;
    if (is_long) out += fmt::format("*{}", value.bytes.size());
    out += quoted(value.bytes.substr(0, is_long ? 8 : 40));
  }
  return "(" + out + ")";
}

struct Says {
  std::string operator()(const pgoutput::Begin& m) const {
    return fmt::format("begin {:016X} {} {}", m.final_lsn, m.commit_time.pg_us, m.xid);
  }
  std::string operator()(const pgoutput::Commit& m) const {
    return fmt::format("commit {} {:016X} {:016X} {}", m.flags, m.commit_lsn, m.end_lsn,
                       m.commit_time.pg_us);
  }
  std::string operator()(const pgoutput::Origin& m) const {
    return fmt::format("origin {:016X} {}", m.commit_lsn, m.name);
  }
  std::string operator()(const pgoutput::Relation& m) const {
    std::string out =
        fmt::format("relation {} \"{}\" \"{}\" {}", m.oid, m.schema, m.name, m.identity);
    for (const pgoutput::Column c : m.columns) {
      out += fmt::format(" [{} {} {} {}]", c.flags, c.name, c.type_oid, c.typmod);
    }
    return out;
  }
  std::string operator()(const pgoutput::Type& m) const {
    return fmt::format("type {} \"{}\" \"{}\"", m.oid, m.schema, m.name);
  }
  std::string operator()(const pgoutput::Insert& m) const {
    return fmt::format("insert {} {}", m.relation, says(m.row));
  }
  std::string operator()(const pgoutput::Update& m) const {
    const std::string old =
        m.old_kind == pgoutput::OldRow::none
            ? ""
            : fmt::format(" {}", static_cast<char>(m.old_kind)) + says(m.old_row);
    return fmt::format("update {}{} N{}", m.relation, old, says(m.row));
  }
  std::string operator()(const pgoutput::Delete& m) const {
    return fmt::format("delete {} {}{}", m.relation, static_cast<char>(m.old_kind),
                       says(m.old_row));
  }
  std::string operator()(const pgoutput::Truncate& m) const {
    std::string out = fmt::format("truncate {}", m.flags);
    for (std::size_t i = 0; i < m.relations.size(); ++i) out += fmt::format(" {}", m.relations[i]);
    return out;
  }
  std::string operator()(const pgoutput::LogicalMessage& m) const {
    return fmt::format("message {} {:016X} {} {}", m.flags, m.lsn, m.prefix, quoted(m.content));
  }
  std::string operator()(const pgoutput::StreamStart& m) const {
    return fmt::format("stream start {} {}", m.xid, m.first_segment ? 1 : 0);
  }
  std::string operator()(const pgoutput::StreamStop&) const { return "stream stop"; }
  std::string operator()(const pgoutput::StreamCommit& m) const {
    return fmt::format("stream commit {} {} {:016X} {:016X} {}", m.xid, m.flags, m.commit_lsn,
                       m.end_lsn, m.commit_time.pg_us);
  }
  std::string operator()(const pgoutput::StreamAbort& m) const {
    return fmt::format("stream abort {} {}", m.xid, m.subxid);
  }
  std::string operator()(const pgoutput::Unknown& m) const {
    return fmt::format("unknown {}", m.letter);
  }
};

inline std::string says(const pgoutput::DecodeResult& result) {
  std::string out = std::visit(Says{}, result.message);
  if (result.stream_xid != 0) out += fmt::format(" in {}", result.stream_xid);
  return out;
}

}  // namespace rt::test
