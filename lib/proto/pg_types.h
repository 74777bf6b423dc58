// PostgreSQL's built-in types as pgoutput names them: by oid, fixed since they were introduced.
// Types made by users (enums, domains, extensions) have oids of 16384 and above and appear here
// under no name. Source: PostgreSQL 15, pg_type.dat.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace rt::pg_type {

inline constexpr std::uint32_t kBool = 16;
inline constexpr std::uint32_t kBytea = 17;
inline constexpr std::uint32_t kChar = 18;
inline constexpr std::uint32_t kName = 19;
inline constexpr std::uint32_t kInt8 = 20;
inline constexpr std::uint32_t kInt2 = 21;
inline constexpr std::uint32_t kInt4 = 23;
inline constexpr std::uint32_t kText = 25;
inline constexpr std::uint32_t kOid = 26;
inline constexpr std::uint32_t kXid = 28;
inline constexpr std::uint32_t kJson = 114;
inline constexpr std::uint32_t kXml = 142;
inline constexpr std::uint32_t kPoint = 600;
inline constexpr std::uint32_t kLseg = 601;
inline constexpr std::uint32_t kPath = 602;
inline constexpr std::uint32_t kBox = 603;
inline constexpr std::uint32_t kPolygon = 604;
inline constexpr std::uint32_t kCidr = 650;
inline constexpr std::uint32_t kFloat4 = 700;
inline constexpr std::uint32_t kFloat8 = 701;
inline constexpr std::uint32_t kCircle = 718;
inline constexpr std::uint32_t kMacaddr8 = 774;
inline constexpr std::uint32_t kMoney = 790;
inline constexpr std::uint32_t kMacaddr = 829;
inline constexpr std::uint32_t kInet = 869;
inline constexpr std::uint32_t kBpchar = 1042;
inline constexpr std::uint32_t kVarchar = 1043;
inline constexpr std::uint32_t kDate = 1082;
inline constexpr std::uint32_t kTime = 1083;
inline constexpr std::uint32_t kTimestamp = 1114;
inline constexpr std::uint32_t kTimestamptz = 1184;
inline constexpr std::uint32_t kInterval = 1186;
inline constexpr std::uint32_t kTimetz = 1266;
inline constexpr std::uint32_t kBit = 1560;
inline constexpr std::uint32_t kVarbit = 1562;
inline constexpr std::uint32_t kNumeric = 1700;
inline constexpr std::uint32_t kRegclass = 2205;
inline constexpr std::uint32_t kRegtype = 2206;
inline constexpr std::uint32_t kUuid = 2950;
inline constexpr std::uint32_t kPgLsn = 3220;
inline constexpr std::uint32_t kTsvector = 3614;
inline constexpr std::uint32_t kTsquery = 3615;
inline constexpr std::uint32_t kJsonb = 3802;
inline constexpr std::uint32_t kInt4range = 3904;
inline constexpr std::uint32_t kNumrange = 3906;
inline constexpr std::uint32_t kTsrange = 3908;
inline constexpr std::uint32_t kTstzrange = 3910;
inline constexpr std::uint32_t kDaterange = 3912;
inline constexpr std::uint32_t kInt8range = 3926;
inline constexpr std::uint32_t kInt4multirange = 4451;
inline constexpr std::uint32_t kNummultirange = 4532;
inline constexpr std::uint32_t kTsmultirange = 4533;
inline constexpr std::uint32_t kTstzmultirange = 4534;
inline constexpr std::uint32_t kDatemultirange = 4535;
inline constexpr std::uint32_t kInt8multirange = 4536;
inline constexpr std::uint32_t kXid8 = 5069;

struct BuiltIn {
  std::uint32_t oid;
  std::uint32_t array_oid;
  std::string_view name;  // pg_type.typname
};

// In order of oid.
// clang-format off
inline constexpr auto kBuiltIns = std::to_array<BuiltIn>({
    {kBool, 1000, "bool"}, {kBytea, 1001, "bytea"}, {kChar, 1002, "char"}, {kName, 1003, "name"},
    {kInt8, 1016, "int8"}, {kInt2, 1005, "int2"}, {kInt4, 1007, "int4"}, {kText, 1009, "text"},
    {kOid, 1028, "oid"}, {kXid, 1011, "xid"}, {kJson, 199, "json"}, {kXml, 143, "xml"},
    {kPoint, 1017, "point"}, {kLseg, 1018, "lseg"}, {kPath, 1019, "path"}, {kBox, 1020, "box"},
    {kPolygon, 1027, "polygon"}, {kCidr, 651, "cidr"}, {kFloat4, 1021, "float4"},
    {kFloat8, 1022, "float8"}, {kCircle, 719, "circle"}, {kMacaddr8, 775, "macaddr8"},
    {kMoney, 791, "money"}, {kMacaddr, 1040, "macaddr"}, {kInet, 1041, "inet"},
    {kBpchar, 1014, "bpchar"}, {kVarchar, 1015, "varchar"}, {kDate, 1182, "date"},
    {kTime, 1183, "time"}, {kTimestamp, 1115, "timestamp"}, {kTimestamptz, 1185, "timestamptz"},
    {kInterval, 1187, "interval"}, {kTimetz, 1270, "timetz"}, {kBit, 1561, "bit"},
    {kVarbit, 1563, "varbit"}, {kNumeric, 1231, "numeric"}, {kRegclass, 2210, "regclass"},
    {kRegtype, 2211, "regtype"}, {kUuid, 2951, "uuid"}, {kPgLsn, 3221, "pg_lsn"},
    {kTsvector, 3643, "tsvector"}, {kTsquery, 3645, "tsquery"}, {kJsonb, 3807, "jsonb"},
    {kInt4range, 3905, "int4range"}, {kNumrange, 3907, "numrange"}, {kTsrange, 3909, "tsrange"},
    {kTstzrange, 3911, "tstzrange"}, {kDaterange, 3913, "daterange"},
    {kInt8range, 3927, "int8range"}, {kInt4multirange, 6150, "int4multirange"},
    {kNummultirange, 6151, "nummultirange"}, {kTsmultirange, 6152, "tsmultirange"},
    {kTstzmultirange, 6153, "tstzmultirange"}, {kDatemultirange, 6155, "datemultirange"},
    {kInt8multirange, 6157, "int8multirange"}, {kXid8, 271, "xid8"},
});
// clang-format on

// The oid of pg_catalog's type of this name ("int4", "_text" for its array), or 0.
constexpr std::uint32_t oid_of(std::string_view name) {
  const bool is_array = name.starts_with('_');
  if (is_array) name.remove_prefix(1);
  for (const BuiltIn& type : kBuiltIns) {
    if (type.name == name) return is_array ? type.array_oid : type.oid;
  }
  return 0;
}

// The type of the elements if `oid` is an array of a type above, else 0.
constexpr std::uint32_t element_of(std::uint32_t oid) {
  for (const BuiltIn& type : kBuiltIns) {
    if (type.array_oid == oid) return type.oid;
  }
  return 0;
}

// How array elements of this type are separated.
constexpr char array_delimiter(std::uint32_t element_oid) {
  return element_oid == kBox ? ';' : ',';
}

}  // namespace rt::pg_type
