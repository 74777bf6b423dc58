// The list itself; see hostile_http_test.cc.
#include "server/hostile_requests.h"

namespace rt::test {
namespace {

const std::string kHost = "Host: t\r\n";
const std::string kClose = "Connection: close\r\n";

std::string get(const std::string& target, const std::string& headers = "") {
  return "GET " + target + " HTTP/1.1\r\n" + kHost + headers + "\r\n";
}
std::string last(const std::string& target, const std::string& headers = "") {
  return get(target, kClose + headers);
}
std::string post(const std::string& target, const std::string& headers, const std::string& body) {
  return "POST " + target + " HTTP/1.1\r\n" + kHost + headers + "\r\n" + body;
}
std::string sized(const std::string& target, const std::string& body,
                  const std::string& headers = kClose) {
  return post(target, headers + "Content-Length: " + std::to_string(body.size()) + "\r\n", body);
}
std::string repeated(int times, const std::string& text) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}
std::string with_nul(std::string text) {  // '~' stands for NUL
  for (char& c : text) {
    if (c == '~') c = '\0';
  }
  return text;
}
std::string statuses(int times, const std::string& status, const std::string& end) {
  return repeated(times, status + " ") + end;
}

const std::string kGood = last("/health");
const std::string kRuns = "/v1/runs";
const std::string kStream = "/v1/runs/stream";
const std::string kTopic = "/topics/t/events";

void add_sizes(std::vector<Hostile>& list) {
  list.push_back(
      {"huge header", get("/health", "A: " + std::string(100'000, 'a') + "\r\n"), "431"});
  list.push_back({"huge header name", get("/health", std::string(20'000, 'a') + ": b\r\n"), "431"});
  list.push_back({"huge line", get("/" + std::string(100'000, 'a')), "414"});
  list.push_back({"long line", get("/" + std::string(9'000, 'a')), "414"});
  list.push_back({"huge query", get("/health?" + std::string(9'000, 'q')), "414"});
  list.push_back({"endless line", std::string(1'000'000, 'G'), "414"});
  list.push_back({"too many headers", get("/health", repeated(101, "A: b\r\n")), "431"});
  list.push_back({"many headers", last("/health", repeated(90, "A: b\r\n")), "200"});
  list.push_back({"huge body", post(kRuns, "Content-Length: 99999999\r\n", "{"), "413"});
  list.push_back({"huge body that comes", sized(kRuns, std::string(2'000'000, 'x')), "413"});
  list.push_back({"body beyond 64 bits",
                  post(kRuns, "Content-Length: 99999999999999999999999\r\n", "{}"), "400"});
  list.push_back(
      {"body of 2^64", post(kRuns, "Content-Length: 18446744073709551616\r\n", ""), "400"});
  list.push_back(
      {"body of 2^64 - 1", post(kRuns, "Content-Length: 18446744073709551615\r\n", ""), "413|400"});
  list.push_back({"blank lines without end", repeated(20'000, "\r\n"), "414|431"});
}

void add_lengths(std::vector<Hostile>& list) {
  for (const char* const length :
       {"+2", " 2 2", "0x2", "-2", "2,2", "2;q=1", "two", "", "1e1", "2\t3", "\xD9\xA2"}) {
    list.push_back({std::string("Content-Length ") + length,
                    post(kRuns, std::string("Content-Length: ") + length + "\r\n", "{}"), "400"});
  }
  const std::string two = "Content-Length: 2\r\n";
  list.push_back({"two Content-Lengths", post(kRuns, two + "Content-Length: 3\r\n", "{} "), "400"});
  list.push_back({"one Content-Length twice", post(kRuns, two + two, "{}"), "400"});
  list.push_back({"Content-Length too short",
                  post(kRuns, "Content-Length: 1\r\n", "{}GARBAGE\r\n\r\n"), "400 400"});
}

void add_codings(std::vector<Hostile>& list) {
  const auto coded = [](const std::string& headers) { return post(kRuns, headers, "0\r\n\r\n"); };
  const std::string te = "Transfer-Encoding: ";
  list.push_back({"chunked, nothing in it", coded(kClose + te + "chunked\r\n"), "400"});
  list.push_back({"Chunked", coded(kClose + te + "Chunked\r\n"), "400"});
  list.push_back({"chunked twice", coded(te + "chunked, chunked\r\n"), "400|501"});
  list.push_back({"chunked in two lines", coded(te + "chunked\r\n" + te + "chunked\r\n"), "400"});
  list.push_back({"TE.TE", coded(te + "chunked\r\n" + te + "cow\r\n"), "400"});
  list.push_back({"identity and chunked", coded(te + "identity\r\n" + te + "chunked\r\n"), "400"});
  for (const char* const coding : {"xchunked", "chunked, identity", "identity", "gzip, chunked",
                                   "chunked;q=1", "\"chunked\"", "chunked\v", ""}) {
    list.push_back({std::string("coding ") + coding, coded(te + coding + "\r\n"), "400|501"});
  }
  list.push_back(
      {"TE with a blank before its colon", coded("Transfer-Encoding : chunked\r\n"), "400"});
  list.push_back({"TE after a tab", coded("\tTransfer-Encoding: chunked\r\n"), "400"});
  list.push_back({"folded TE", coded("Transfer-Encoding:\r\n chunked\r\n"), "400"});
  list.push_back(
      {"CL.TE", post(kRuns, "Content-Length: 6\r\n" + te + "chunked\r\n", "0\r\n\r\nG"), "400"});
  list.push_back({"TE.CL",
                  post(kRuns, te + "chunked\r\nContent-Length: 4\r\n",
                       "5c\r\n" + get("/health") + "\r\n0\r\n\r\n"),
                  "400"});
  list.push_back({"CL.0", post("/health", "Content-Length: 40\r\n", get("/health")), "405"});
  list.push_back(
      {"CL.0 with GET", get("/health", "Content-Length: 40\r\n") + get("/health"), "405"});
  list.push_back({"a body for a stream", get(kStream, "Content-Length: 2\r\n") + "{}", "400"});
  list.push_back(
      {"TE in HTTP/1.0", "POST /v1/runs HTTP/1.0\r\n" + te + "chunked\r\n\r\n0\r\n\r\n", "400"});
}

std::string chunked(const std::string& coded, const std::string& headers = kClose) {
  return post(kRuns, headers + "Transfer-Encoding: chunked\r\n", coded);
}

void add_chunks(std::vector<Hostile>& list) {
  const std::string row = "a\r\n{\"id\":\"a\"}\r\n";
  const std::string end = "0\r\n\r\n";
  list.push_back({"chunks", chunked(row + end), "200"});
  list.push_back({"chunks, one byte at a time", chunked(row + end), "200", Manner::bytewise});
  list.push_back({"a request behind chunks", chunked(row + end, "") + kGood, "200 200"});
  list.push_back({"a request in an extension",
                  chunked("a;" + std::string(100, 'x') + "\r\n" + row.substr(3) + end, "") + kGood,
                  "200 200"});
  list.push_back({"Content-Length in a trailer",
                  chunked(row + "0\r\nContent-Length: 40\r\n\r\n", "") + kGood, "200 200"});
  for (const char* const size :
       {"-1", "+1", "0x1", " 1", "1 1", "g", "", "1_0", "1.", "10000000000000000",
        "ffffffffffffffffffffff", "1\n", "1\r", "1\v", "1;\n", "1;a=\"\n\"", "1;\x01", "1;\x7f"}) {
    list.push_back({std::string("chunk of size ") + size,
                    chunked(std::string(size) + "\r\n{\r\n" + end), "400"});
  }
  list.push_back({"a chunk of many zeros", chunked(std::string(20'000, '0') + row + end), "400"});
  list.push_back({"a NUL in an extension", with_nul(chunked("1;~\r\n{\r\n" + end)), "400"});
  list.push_back({"a long extension", chunked("1;" + std::string(20'000, 'x') + "\r\n"), "400"});
  list.push_back(
      {"many extensions", chunked(repeated(2'000, "1;aaaaaaaaaa\r\n \r\n") + end), "400"});
  list.push_back({"a long trailer", chunked(row + "0\r\nA: " + std::string(20'000, 'x')), "400"});
  list.push_back({"many trailers", chunked(row + "0\r\n" + repeated(5'000, "A: b\r\n")), "400"});
  list.push_back({"a folded trailer", chunked(row + "0\r\nA: b\r\n c\r\n\r\n"), "400"});
  list.push_back({"a chunk longer than it says", chunked("1\r\n{}\r\n" + end), "400"});
  list.push_back({"a chunk without its line end", chunked("2\r\n{}" + end), "400"});
  list.push_back({"a chunk that ends in LF", chunked("2\r\n{}\n" + end), "400"});
  list.push_back({"a last chunk that ends in LF", chunked(row + "0\n\n"), "400"});
  list.push_back({"a size that ends in LF", chunked("2\n{}\r\n" + end), "400"});
  list.push_back(
      {"too large in one chunk", chunked("200000\r\n" + std::string(0x200000, ' ')), "413"});
  list.push_back({"too large in many",
                  chunked(repeated(40, "8000\r\n" + std::string(0x8000, ' ') + "\r\n")), "413"});
  list.push_back(
      {"chunks for a stream", get(kStream, "Transfer-Encoding: chunked\r\n") + end, "400"});
  list.push_back({"chunks for GET", get("/health", "Transfer-Encoding: chunked\r\n") + row, "405"});
  list.push_back({"half closed in a chunk", chunked("5\r\n{"), "", Manner::half_closed});
  list.push_back({"reset in a chunk", chunked("5\r\n{"), "*", Manner::reset});
}

void add_expectations(std::vector<Hostile>& list) {
  const std::string expect = "Expect: 100-continue\r\n";
  const std::string row = R"({"id":"a"})";
  list.push_back({"Expect", sized(kRuns, row, kClose + expect), "100 200"});
  list.push_back(
      {"Expect in capitals", sized(kRuns, row, kClose + "EXPECT: 100-Continue\r\n"), "100 200"});
  list.push_back({"Expect twice in a row",
                  sized(kRuns, row, expect) + sized(kRuns, row, kClose + expect),
                  "100 200 100 200"});
  list.push_back({"Expect something else", sized(kRuns, row, "Expect: 200-ok\r\n"), "417"});
  list.push_back(
      {"Expect too much", post(kRuns, expect + "Content-Length: 99999999\r\n", ""), "413"});
  list.push_back(
      {"Expect nowhere", post("/nothing", expect + "Content-Length: 10\r\n", ""), "404"});
  list.push_back({"Expect without a body", last("/health", expect), "200"});
  list.push_back({"Expect in HTTP/1.0",
                  "POST /v1/runs HTTP/1.0\r\n" + expect + "Content-Length: 10\r\n\r\n" + row,
                  "200"});
}

void add_lines(std::vector<Hostile>& list) {
  list.push_back({"obs-fold", get("/health", "A: b\r\n c\r\n"), "400"});
  list.push_back({"bare LF", "GET /health HTTP/1.1\nHost: t\n\n", "400"});
  list.push_back({"one bare LF", "GET /health HTTP/1.1\r\nHost: t\n\r\n", "400"});
  list.push_back({"bare CR in a value", get("/health", "A: b\rC: d\r\n"), "400"});
  list.push_back({"CR before CR LF", get("/health", "A: b\r\r\n"), "400"});
  list.push_back({"NUL in a name", with_nul(get("/health", "A~B: c\r\n")), "400"});
  list.push_back({"NUL in a value", with_nul(get("/health", "A: b~c\r\n")), "400"});
  list.push_back({"NUL in the target", with_nul(get("/hea~lth")), "400"});
  list.push_back({"control in a value", get("/health", "A: \x01\r\n"), "400"});
  list.push_back({"DEL in a value", get("/health", "A: \x7f\r\n"), "400"});
  list.push_back({"blank before a colon", get("/health", "A : b\r\n"), "400"});
  list.push_back({"no colon", get("/health", "A\r\n"), "400"});
  list.push_back({"no name", get("/health", ": b\r\n"), "400"});
  list.push_back({"no Host", "GET /health HTTP/1.1\r\n\r\n", "400"});
  list.push_back({"two Hosts", get("/health", "Host: u\r\n"), "400"});
  list.push_back({"blank in the target", "GET /health now HTTP/1.1\r\n" + kHost + "\r\n", "400"});
  list.push_back({"two blanks", "GET  /health HTTP/1.1\r\n" + kHost + "\r\n", "400"});
  list.push_back({"a blank first", " GET /health HTTP/1.1\r\n" + kHost + "\r\n", "400"});
  list.push_back({"a tab for a blank", "GET\t/health HTTP/1.1\r\n" + kHost + "\r\n", "400"});
}

void add_start_lines(std::vector<Hostile>& list) {
  const auto start = [](const std::string& line) {
    return line + "\r\n" + kHost + kClose + "\r\n";
  };
  list.push_back({"another host", start("GET http://other.example/health HTTP/1.1"), "200"});
  list.push_back({"authority form", start("GET t:80 HTTP/1.1"), "400"});
  list.push_back({"asterisk", start("GET * HTTP/1.1"), "400|404"});
  list.push_back({"CONNECT", start("CONNECT t:80 HTTP/1.1"), "400"});
  list.push_back({"TRACE", start("TRACE /health HTTP/1.1"), "405"});
  list.push_back({"TRACE of a topic", start("TRACE " + kTopic + " HTTP/1.1"), "405"});
  list.push_back({"preface of HTTP/2, broken", "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", "505|"});
  list.push_back({"HTTP/0.9", "GET /health\r\n\r\n", "400"});
  list.push_back({"HTTP/2.0", start("GET /health HTTP/2.0"), "505"});
  list.push_back({"HTTP/1.2", start("GET /health HTTP/1.2"), "505|400"});
  list.push_back({"HTTP/11", start("GET /health HTTP/11"), "505|400"});
  list.push_back({"http in lower case", start("GET /health http/1.1"), "400"});
  list.push_back({"lower-case method", start("get /health HTTP/1.1"), "405"});
  list.push_back({"unknown method", start("BREW " + kStream + " HTTP/1.1"), "405"});
  list.push_back({"no method", start("/health HTTP/1.1"), "400"});
  list.push_back({"garbage", with_nul("\x01\x02~\xff\xfe\r\n\r\n"), "400"});
  list.push_back({"SMTP", "EHLO a\r\nMAIL FROM:<b>\r\n\r\n", "400"});
  list.push_back({"Redis", "*1\r\n$4\r\nPING\r\n\r\n", "400"});
}

void add_targets(std::vector<Hostile>& list) {
  list.push_back({"%00", get("/health%00"), "400"});
  list.push_back({"bad hex", get("/health%zz"), "400"});
  list.push_back({"half an escape", get("/health%4"), "400"});
  list.push_back({"half an escape in the query", get("/health?a=%"), "400"});
  list.push_back({"way up", get("/%2e%2e/%2e%2e/etc/passwd"), "404"});
  list.push_back({"way up, escaped twice", get("/%252e%252e/etc/passwd"), "404"});
  list.push_back({"overlong UTF-8", get("/%c0%ae%c0%ae/%c0%af"), "404"});
  list.push_back({"topic with a slash", get("/topics/a%2fb/events"), "404|400"});
  list.push_back({"topic with a line", get("/topics/a%0d%0aX:%20y/events"), "400"});
  list.push_back({"topic of 10,000", get("/topics/" + std::string(8'000, 'a') + "/events"), "400"});
  list.push_back({"backslashes", get("/..\\..\\x"), "404"});
  const auto filtered = [](const std::string& filter) {
    return get(kStream + "?filter=" + filter);
  };
  list.push_back({"deep filter", filtered(std::string(7'000, '[')), "400"});
  list.push_back({"deep and whole filter",
                  filtered(std::string(3'500, '[') + std::string(3'500, ']')), "400"});
  list.push_back({"filter of 1 MB", filtered("%22" + std::string(1'000'000, 'a') + "%22"), "414"});
  list.push_back({"filter of bad UTF-8", filtered("{%22run_id%22:%22%ff%22}"), "400"});
  list.push_back({"filter with a huge number", filtered("{%22run_id%22:1e999999}"), "400"});
  list.push_back({"filter with a wrong type", filtered("{%22run_id%22:%5B%5D}"), "400"});
  list.push_back(
      {"filter with many tags", filtered("{%22tags%22:[" + repeated(64, "1,") + "1]}"), "400"});
  list.push_back({"filter with a NUL", filtered("%00"), "400"});
  list.push_back({"id with a control", get(kStream, "Last-Event-ID: a\x02\r\n"), "400"});
  list.push_back(
      {"id of 20,000", get(kStream, "Last-Event-ID: " + std::string(20'000, '9') + "\r\n"), "431"});
}

void add_bodies(std::vector<Hostile>& list) {
  list.push_back({"no JSON", sized(kRuns, "\xff\xfe"), "400"});
  list.push_back({"deep row", sized(kRuns, std::string(100'000, '[')), "400"});
  list.push_back(
      {"deep data", sized(kTopic, "{\"data\":" + std::string(100'000, '[') + "}"), "400"});
  list.push_back(
      {"deep and whole data",
       sized(kTopic, "{\"data\":" + std::string(3'000, '[') + std::string(3'000, ']') + "}"),
       "400"});
  list.push_back(
      {"large data", sized(kTopic, "{\"data\":\"" + std::string(200'000, 'x') + "\"}"), "413"});
  list.push_back({"data twice", sized(kTopic, R"({"data":1,"data":2})"), "200"});
  list.push_back({"data with a line", sized(kTopic, "{\"data\":\"a\nevent: b\"}"), "400"});
}

void add_sequences(std::vector<Hostile>& list) {
  list.push_back({"good after bad", "nonsense\r\n\r\n" + kGood, "400"});
  list.push_back({"bad after good", get("/health") + "nonsense\r\n\r\n", "200 400"});
  list.push_back({"good after refused", get("/nothing") + kGood, "404"});
  list.push_back(
      {"1,000 at once", repeated(999, get("/health")) + kGood, statuses(999, "200", "200")});
  list.push_back({"1,000 HEAD at once",
                  repeated(999, "HEAD /health HTTP/1.1\r\n" + kHost + "\r\n") +
                      "HEAD /health HTTP/1.1\r\n" + kHost + kClose + "\r\n",
                  ""});
  list.back().expected = "HEAD";  // 1,000 answers without a body
  list.push_back({"requests behind a publish",
                  sized(kRuns, R"({"id":"a"})", "") + sized(kTopic, R"({"data":1})", "") + kGood,
                  "200 200 200"});
  list.push_back({"more than may wait behind a publish",
                  sized(kRuns, R"({"id":"a"})", "") + repeated(20'000, get("/health")), "*"});
  list.push_back(
      {"Upgrade: h2c", last("/health", "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"), "200"});
  list.push_back({"Upgrade: websocket", last("/health", "Upgrade: websocket\r\n"), "200"});
  list.push_back(
      {"close and keep-alive", get("/health", "Connection: keep-alive, close\r\n") + kGood, "200"});
  list.push_back({"Connection names Host", last("/health", "Connection: Host\r\n"), "200"});
  list.push_back({"Range", last("/health", "Range: bytes=0-0,1-1,-1\r\n"), "200"});
  list.push_back({"one byte at a time", kGood, "200", Manner::bytewise});
  list.push_back({"half closed", get("/health"), "200", Manner::half_closed});
  list.push_back({"half closed in a head", "GET /hea", "", Manner::half_closed});
  list.push_back({"half closed in a body", post(kRuns, "Content-Length: 9\r\n", "{"), "",
                  Manner::half_closed});
  list.push_back({"nothing, half closed", "", "", Manner::half_closed});
  list.push_back({"reset in a head", "GET /hea", "*", Manner::reset});
  list.push_back(
      {"reset in a body", post(kRuns, "Content-Length: 9\r\n", "{"), "*", Manner::reset});
  list.push_back({"reset after a publish", sized(kRuns, R"({"id":"a"})"), "*", Manner::reset});
  list.push_back({"early data on a stream", get(kStream) + get("/health") + "\x01\x02", "200",
                  Manner::half_closed});
  list.push_back(
      {"id that is negative", get(kStream, "Last-Event-ID: -1\r\n"), "200", Manner::half_closed});
  list.push_back({"filter with keys twice",
                  get(kStream + "?filter={%22run_id%22:%22a%22,%22run_id%22:%22b%22}"), "200",
                  Manner::half_closed});
}

}  // namespace

std::vector<Hostile> hostile_requests() {
  std::vector<Hostile> list;
  add_sizes(list);
  add_lengths(list);
  add_codings(list);
  add_chunks(list);
  add_expectations(list);
  add_lines(list);
  add_start_lines(list);
  add_targets(list);
  add_bodies(list);
  add_sequences(list);
  return list;
}

std::vector<Hostile> unfinished_requests() {
  std::string hello = with_nul("\x16\x03\x01\x02~\x01~\x01\xfc\x03\x03");
  hello += std::string(500, '\x5a');
  return {
      {"slow line", "GET /hea", "408"},
      {"slow header", "GET /health HTTP/1.1\r\nHost: t\r\nA: ", "408"},
      {"slow body", post(kRuns, "Content-Length: 10\r\n", "{"), "408"},
      {"slow chunks", chunked("2\r\n{"), "408"},
      {"a chunk of 4 GiB", chunked("100000000\r\n{"), "408"},
      {"chunks without an end", chunked("a\r\n{\"id\":\"a\"}\r\n"), "408"},
      {"Expect and say nothing", post(kRuns, "Expect: 100-continue\r\nContent-Length: 9\r\n", ""),
       "100 408"},
      {"lying Content-Length", post(kTopic, "Content-Length: 1000\r\n", "{\"data\":1}"), "408"},
      {"slow second request", get("/health") + "GET /", "200 408"},
      {"nothing after an answer", get("/health"), "200"},
      {"ClientHello of TLS", hello, "408|400"},
  };
}

}  // namespace rt::test
