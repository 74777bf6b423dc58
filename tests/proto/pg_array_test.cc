#include "proto/pg_array.h"

#include <rapidcheck/catch.h>

using namespace rt;

namespace {

// Steps as text: braces, elements in angle brackets, "null"; '!' where it is no array.
std::string steps(std::string_view text, char delimiter = ',') {
  std::string out;
  std::string scratch;
  ArrayReader reader(text, scratch, delimiter);
  while (true) {
    switch (reader.next()) {
      case ArrayReader::Step::open:
        out += '{';
        break;
      case ArrayReader::Step::close:
        out += '}';
        break;
      case ArrayReader::Step::element:
        out += reader.is_null() ? "null" : "<" + std::string(reader.text()) + ">";
        break;
      case ArrayReader::Step::end:
        return out;
      case ArrayReader::Step::bad:
        return out + "!";
    }
  }
}

}  // namespace

TEST_CASE("pg array: text means what array_in takes it for", "[proto][pg_array]") {
  CHECK(steps("{}") == "{}");
  CHECK(steps("{1}") == "{<1>}");
  CHECK(steps("{1,2,NULL}") == "{<1><2>null}");
  CHECK(steps("{null,Null}") == "{nullnull}");
  CHECK(steps(R"({"NULL",nulls})") == "{<NULL><nulls>}");
  CHECK(steps(R"({N\ULL})") == "{<NULL>}");  // an escape makes it a text
  CHECK(steps(R"({""})") == "{<>}");
  CHECK(steps(R"({"a,b","{}","q\"","b\\"})") == R"({<a,b><{}><q"><b\>})");
  CHECK(steps("{ a , b c }") == "{<a><b c>}");
  CHECK(steps(R"({a\ , "x" })") == "{<a ><x>}");
  CHECK(steps("{{1,2},{3,4}}") == "{{<1><2>}{<3><4>}}");
  CHECK(steps("{{{{{{1}}}}}}") == "{{{{{{<1>}}}}}}");
  CHECK(steps("[2:3]={7,8}") == "{<7><8>}");
  CHECK(steps("[-1:0][+2:3]={{1,2},{3,4}}") == "{{<1><2>}{<3><4>}}");
  CHECK(steps("{(1,1),(0,0);(3,3),(2,2)}", ';') == "{<(1,1),(0,0)><(3,3),(2,2)>}");
}

TEST_CASE("pg array: what is no array is bad, and stays bad", "[proto][pg_array]") {
  for (const char* text :
       {"",         "1",      "{",        "}",        "{1",     "{1,",
        "{1,}",     "{,1}",   "{1,,2}",   "{1}}",     "{1}x",   "{\"a}",
        "{\"a\\",   "{a\\",   "{a\"b\"}", "{\"a\"b}", "{a{b}}", "[1:2]{1,2}",
        "[1:2={1}", "[]={1}", "[1:]={1}", "[1",       "[1:2]=", "{{{{{{{1}}}}}}}",
        "{1} {2}"}) {
    INFO(text);
    CHECK(steps(text).ends_with('!'));
    CHECK_FALSE(parse_text_array(text));
  }
  std::string scratch;
  ArrayReader reader("{1,}", scratch);
  while (reader.next() != ArrayReader::Step::bad) {
  }
  CHECK(reader.next() == ArrayReader::Step::bad);
}

TEST_CASE("pg array: tags are found without NULLs, only as whole elements", "[proto][pg_array]") {
  std::string scratch;
  CHECK(parse_text_array("{a,NULL,\"b c\"}") == std::vector<std::string>{"a", "b c"});
  CHECK(text_array_contains("{a,NULL,\"b c\"}", "b c", scratch));
  CHECK_FALSE(text_array_contains("{a,NULL,\"b c\"}", "b", scratch));
  CHECK_FALSE(text_array_contains("{NULL}", "NULL", scratch));
  CHECK(text_array_contains("{\"NULL\"}", "NULL", scratch));
  CHECK_FALSE(text_array_contains("{a", "a", scratch));
}

TEST_CASE("pg array: any elements written read back", "[proto][pg_array]") {
  rc::prop("round trip", [](const std::vector<std::string>& elements) {
    std::string text = "{";
    for (const std::string& element : elements) {
      if (text.size() > 1) text.push_back(',');
      append_array_element(text, element);
    }
    text.push_back('}');
    RC_ASSERT(parse_text_array(text) == elements);
  });
}
