// Nobody gets in: every way in which a token can be wrong, and what is said then.
#include "auth/token_check.h"

#include <catch2/catch.hpp>

#include "auth/signed_token.h"

namespace rt::test {
namespace {

using Needs = TokenCheck::Needs;

// Comfortably long, so that what a test refuses is refused for the reason that it names.
const std::string kSecret = "a secret of more than thirty-two bytes";
const std::string kHeader = R"({"alg":"HS256","typ":"JWT"})";
const WallTime kNow = from_unix_us(1'700'000'000'000'000);

const KeyPair& rsa() {
  static const KeyPair pair = rsa_pair();
  return pair;
}
const KeyPair& p256() {
  static const KeyPair pair = ec_pair();
  return pair;
}

TokenCheck check_with(std::string_view key) {
  auto parsed = parse_token_key(key);
  REQUIRE(parsed);
  return TokenCheck(*parsed);
}

// "gym:7 of ada", or the refusal.
std::string verdict(const TokenCheck& check, const std::string& token, Needs needs = Needs::scope) {
  const auto principal = check.check(token, kNow, needs);
  if (!principal) {
    CHECK(principal.error().code == Code::refused);
    for (std::size_t at = 0; at + 12 <= token.size(); at += 12) {
      CHECK(principal.error().text.find(token.substr(at, 12)) == std::string::npos);
    }
    return principal.error().text;
  }
  return principal->scope + ":" + std::to_string(principal->scope_id.value_or(-1)) + " of " +
         principal->user;
}
// Of these claims, with a true signature.
std::string verdict_on(const std::string& claims, Needs needs = Needs::scope) {
  return verdict(check_with(kSecret), hand_made_token(kHeader, claims, kSecret), needs);
}

const std::string kGood = R"({"scope":"gym","scope_id":7,"sub":"ada","exp":1700000060})";

TEST_CASE("token: HS256, RS256 and ES256 are accepted with the key of their kind", "[auth]") {
  CHECK(verdict(check_with(kSecret), signed_token(JWT_ALG_HS256, kSecret, kGood)) ==
        "gym:7 of ada");
  CHECK(verdict(check_with(rsa().public_pem),
                signed_token(JWT_ALG_RS256, rsa().private_pem, kGood)) == "gym:7 of ada");
  CHECK(verdict(check_with(p256().public_pem),
                signed_token(JWT_ALG_ES256, p256().private_pem, kGood)) == "gym:7 of ada");
  const auto principal = check_with(kSecret).check(
      signed_token(JWT_ALG_HS256, kSecret, kGood, R"({"kid":"k1"})"), kNow, Needs::scope);
  REQUIRE(principal);
  CHECK(principal->expires_at == from_unix_us(1'700'000'060'000'000));
}

TEST_CASE("token: the key alone decides the algorithm", "[auth]") {
  struct Row {
    std::string key;
    jwt_alg_t algorithm;
    std::string signed_with;
    std::string answer;
  };
  const std::vector<Row> rows = {
      // A public key is no secret, although everybody who has it could sign with it as one.
      {rsa().public_pem, JWT_ALG_HS256, rsa().public_pem, "the token is not signed with RS256"},
      {p256().public_pem, JWT_ALG_HS256, p256().public_pem, "the token is not signed with ES256"},
      {rsa().public_pem, JWT_ALG_ES256, p256().private_pem, "the token is not signed with RS256"},
      {p256().public_pem, JWT_ALG_RS256, rsa().private_pem, "the token is not signed with ES256"},
      {kSecret, JWT_ALG_RS256, rsa().private_pem, "the token is not signed with HS256"},
      {kSecret, JWT_ALG_HS384, kSecret, "the token is not signed with HS256"},
      {kSecret, JWT_ALG_HS512, kSecret, "the token is not signed with HS256"},
      {rsa().public_pem, JWT_ALG_RS512, rsa().private_pem, "the token is not signed with RS256"},
      {kSecret, JWT_ALG_NONE, "", "the token is not signed with HS256"},
      {rsa().public_pem, JWT_ALG_NONE, "", "the token is not signed with RS256"},
      {p256().public_pem, JWT_ALG_NONE, "", "the token is not signed with ES256"},
  };
  for (const Row& row : rows) {
    INFO(row.answer << ", is " << jwt_alg_str(row.algorithm));
    const std::string token = signed_token(row.algorithm, row.signed_with, kGood);
    CHECK(verdict(check_with(row.key), token) == row.answer);
  }
}

TEST_CASE("token: whatever its header says instead of the algorithm is refused", "[auth]") {
  for (const std::string& header :
       {std::string(R"({"typ":"JWT"})"), std::string(R"({"alg":"none"})"),
        std::string(R"({"alg":"None"})"), std::string(R"({"alg":"NONE"})"),
        std::string(R"({"alg":"nOnE","typ":"JWT"})"), std::string(R"({"alg":""})"),
        std::string(R"({"alg":"hs256"})"), std::string(R"({"alg":"HS256 "})"),
        std::string(R"({"alg":null})"), std::string(R"({"alg":256})"),
        std::string(R"({"alg":["HS256"]})"), std::string(R"({"alg":"ES256K"})"),
        std::string(R"({"alg":"PS256"})"), std::string(R"({"alg":"EdDSA"})")}) {
    INFO(header);
    const std::string token = hand_made_token(header, kGood, kSecret);
    CHECK(!check_with(kSecret).check(token, kNow, Needs::scope));
    CHECK(!check_with(kSecret).check(token.substr(0, token.rfind('.') + 1), kNow, Needs::scope));
    CHECK(!check_with(rsa().public_pem).check(token, kNow, Needs::scope));
  }
  CHECK(verdict(check_with(kSecret),
                hand_made_token(R"({"alg":"HS256","crit":["exp"]})", kGood, kSecret)) ==
        "the token has a critical header that is not known here");
  // Of two members of one name the last counts, for both readings (RFC 7519 section 4).
  CHECK(verdict(check_with(kSecret),
                hand_made_token(R"({"alg":"HS256","alg":"none"})", kGood, kSecret)) ==
        "the token is not signed with HS256");
}

TEST_CASE("token: a signature by another key, of another token, or cut off is refused", "[auth]") {
  const std::string wrong = "the token's signature is wrong";
  const std::string other = "another secret of thirty-two bytes or more";
  const TokenCheck hmac = check_with(kSecret);
  const std::string token = signed_token(JWT_ALG_HS256, kSecret, kGood);
  const std::string unsigned_part = token.substr(0, token.rfind('.') + 1);
  CHECK(verdict(hmac, signed_token(JWT_ALG_HS256, other, kGood)) == wrong);
  CHECK(verdict(hmac, unsigned_part) == wrong);
  CHECK(verdict(hmac, token.substr(0, token.size() - 1)) == wrong);
  CHECK(verdict(hmac, token + "A") == wrong);
  const std::string raised = R"({"scope":"gym","scope_id":8,"exp":1700000060})";
  const std::string forged = base64url(kHeader) + "." + base64url(raised);
  CHECK(verdict(hmac, forged + token.substr(token.rfind('.'))) == wrong);

  const TokenCheck by_rsa = check_with(rsa().public_pem);
  CHECK(verdict(by_rsa, signed_token(JWT_ALG_RS256, rsa_pair().private_pem, kGood)) == wrong);
  const std::string rs256 = signed_token(JWT_ALG_RS256, rsa().private_pem, kGood);
  CHECK(verdict(by_rsa, rs256.substr(0, rs256.rfind('.') + 1)) == wrong);
  CHECK(verdict(by_rsa, rs256.substr(0, rs256.size() - 40)) == wrong);

  const TokenCheck by_p256 = check_with(p256().public_pem);
  CHECK(verdict(by_p256, signed_token(JWT_ALG_ES256, ec_pair().private_pem, kGood)) == wrong);
  const std::string es256 = signed_token(JWT_ALG_ES256, p256().private_pem, kGood);
  CHECK(verdict(by_p256, es256.substr(0, es256.rfind('.') + 1)) == wrong);
  // r = s = 0: the "psychic signature" (CVE-2022-21449)
  CHECK(verdict(by_p256, es256.substr(0, es256.rfind('.') + 1) + std::string(86, 'A')) == wrong);
}

TEST_CASE("token: one that is no token is refused", "[auth]") {
  const std::string token = signed_token(JWT_ALG_HS256, kSecret, kGood);
  const std::string claims = base64url(kGood);
  for (const std::string& bad : {std::string(),
                                 std::string("."),
                                 std::string(".."),
                                 std::string("a.b.c"),
                                 std::string("token"),
                                 token.substr(0, token.rfind('.')),
                                 token + ".",
                                 token + "." + token,
                                 token + " " + token,
                                 token + "," + token,
                                 token + "\n",
                                 token + "=",
                                 " " + token,
                                 std::string("..") + token.substr(token.rfind('.')),
                                 token + std::string(1, '\0'),
                                 base64url("[]") + "." + claims + ".AAAA",
                                 base64url("{") + "." + claims + ".AAAA",
                                 base64url("null") + "." + claims + ".AAAA",
                                 hand_made_token(kHeader, "not JSON", kSecret),
                                 hand_made_token(kHeader, "[1]", kSecret),
                                 hand_made_token(kHeader, "\"gym\"", kSecret),
                                 hand_made_token(kHeader, kGood + "x", kSecret),
                                 hand_made_token(kHeader, "{\"scope\":\"\xFF\"}", kSecret)}) {
    INFO(bad);
    CHECK(verdict(check_with(kSecret), bad) == "the token is malformed");
  }
  CHECK(verdict(check_with(kSecret), std::string(TokenCheck::kTokenBytesMax + 1, 'a')) ==
        "the token is too long");
  CHECK(verdict_on(R"({"scope":"gym","scope_id":7,"exp":1700000060,"x":")" +
                   std::string(4096, 'x') + "\"}") == "the token is too long");
}

TEST_CASE("token: the dates are those of RFC 7519", "[auth]") {
  struct Row {
    std::string dates;
    std::string answer;
  };
  const std::string good = "gym:7 of ";
  const std::vector<Row> rows = {
      {R"("x":0)", "the token has no claim \"exp\""},
      {R"("exp":"1700000060")", "the token's claim \"exp\" is no number"},
      {R"("exp":null)", "the token's claim \"exp\" is no number"},
      {R"("exp":true)", "the token's claim \"exp\" is no number"},
      {R"("exp":[1700000060])", "the token's claim \"exp\" is no number"},
      {R"("exp":1699999999)", "the token has expired"},
      {R"("exp":1700000000)", "the token has expired"},
      {R"("exp":0)", "the token has expired"},
      {R"("exp":-1700000060)", "the token has expired"},
      {R"("exp":1700000000.5)", good},
      {R"("exp":1700000001)", good},
      {R"("exp":9223372036854775807)", good},
      {R"("exp":1e300)", good},
      {R"("exp":9223372036854775808)", "the token is malformed"},  // beyond libjwt's integers
      {R"("exp":1700000060,"exp":1)", "the token has expired"},
      {R"("exp":1700000060,"nbf":1700000005)", good},
      {R"("exp":1700000060,"nbf":1700000006)", "the token is not valid yet"},
      {R"("exp":1700000060,"nbf":"1")", "the token's claim \"nbf\" is no number"},
      {R"("exp":1700000060,"iat":1700000005)", good},
      {R"("exp":1700000060,"iat":1700000006)", "the token was issued in the future"},
      {R"("exp":1700000060,"iat":{})", "the token's claim \"iat\" is no number"},
      {R"("exp":1700000060,"nbf":1690000000,"iat":1690000000)", good},
  };
  for (const Row& row : rows) {
    INFO(row.dates);
    CHECK(verdict_on(R"({"scope":"gym","scope_id":7,)" + row.dates + "}") == row.answer);
  }
}

TEST_CASE("token: scope and scope_id name one tenant, and no pattern", "[auth]") {
  struct Row {
    std::string claims;
    std::string answer;
  };
  const std::string no_word = "the token's claim \"scope\" is no word of letters, digits, _ and -";
  const std::vector<Row> rows = {
      {R"("scope_id":7)", "the token has no claim \"scope\""},
      {R"("scope":"gym")", "the token has no claim \"scope_id\""},
      {R"("sub":"ada")", "the token has no claim \"scope\""},
      {R"("scope":"","scope_id":7)", "the token's claim \"scope\" is empty"},
      {R"("scope":7,"scope_id":7)", "the token's claim \"scope\" is no text"},
      {R"("scope":null,"scope_id":7)", "the token's claim \"scope\" is no text"},
      {R"("scope":["gym"],"scope_id":7)", "the token's claim \"scope\" is no text"},
      {R"("scope":"*","scope_id":7)", no_word},
      {R"("scope":"g*m","scope_id":7)", no_word},
      {R"("scope":"gy?","scope_id":7)", no_word},
      {R"("scope":"gy[lm]","scope_id":7)", no_word},
      {R"("scope":"gy]","scope_id":7)", no_word},
      {R"("scope":"gym\\","scope_id":7)", no_word},
      {R"("scope":"^gym","scope_id":7)", no_word},
      {R"("scope":"gym:1","scope_id":7)", no_word},
      {R"("scope":"gym ","scope_id":7)", no_word},
      {R"("scope":"gym\r\n","scope_id":7)", no_word},
      {R"("scope":"gym\n","scope_id":7)", no_word},
      {R"("scope":"gümnasium","scope_id":7)", no_word},
      {R"("scope":")" + std::string(129, 'g') + R"(","scope_id":7)",
       "the token's claim \"scope\" is too long"},
      {R"("scope":"gym","scope_id":"7")", "the token's claim \"scope_id\" is no integer"},
      {R"("scope":"gym","scope_id":"*")", "the token's claim \"scope_id\" is no integer"},
      {R"("scope":"gym","scope_id":7.0)", "the token's claim \"scope_id\" is no integer"},
      {R"("scope":"gym","scope_id":7.5)", "the token's claim \"scope_id\" is no integer"},
      {R"("scope":"gym","scope_id":true)", "the token's claim \"scope_id\" is no integer"},
      {R"("scope":"gym","scope_id":null)", "the token's claim \"scope_id\" is no integer"},
      {R"("scope":"gym","scope_id":-1)", "the token's claim \"scope_id\" is negative"},
      {R"("scope":"gym","scope_id":9223372036854775808)", "the token is malformed"},
      {R"("scope":"gym","scope":"*","scope_id":7)", no_word},
      {R"("scope":"gym","scope_id":7,"scope_id":"8")",
       "the token's claim \"scope_id\" is no integer"},
      {R"("scope":"gym","scope_id":0)", "gym:0 of "},
      {R"("scope":"My-gym_2","scope_id":9223372036854775807)", "My-gym_2:9223372036854775807 of "},
  };
  for (const Row& row : rows) {
    INFO(row.claims);
    CHECK(verdict_on("{" + row.claims + R"(,"exp":1700000060})") == row.answer);
  }
}

TEST_CASE("token: sub names the user where one is needed", "[auth]") {
  struct Row {
    std::string claims;
    std::string answer;
  };
  const std::vector<Row> rows = {
      {R"("sub":"ada@example.org")", ":-1 of ada@example.org"},
      {R"("sub":"ada","scope":"gym","scope_id":7)", "gym:7 of ada"},
      {R"("scope":"gym","scope_id":7)", "the token has no claim \"sub\""},
      {R"("sub":"")", "the token's claim \"sub\" is empty"},
      {R"("sub":42)", "the token's claim \"sub\" is no text"},
      {R"("sub":"a\nb")", "the token's claim \"sub\" has a control character"},
      {R"("sub":"a\u0000b")", "the token is malformed"},  // libjwt reads no NUL
      {R"("sub":")" + std::string(129, 'u') + R"(")", "the token's claim \"sub\" is too long"},
      {R"("sub":"ada","scope":"*")",
       "the token's claim \"scope\" is no word of letters, digits, _ and -"},
  };
  for (const Row& row : rows) {
    INFO(row.claims);
    CHECK(verdict_on("{" + row.claims + R"(,"exp":1700000060})", Needs::user) == row.answer);
  }
}

TEST_CASE("token key: the file says which algorithm; what could be either is refused", "[auth]") {
  using Algorithm = TokenKey::Algorithm;
  CHECK(parse_token_key(rsa().public_pem)->algorithm == Algorithm::rs256);
  CHECK(parse_token_key("# ours\n" + p256().public_pem)->algorithm == Algorithm::es256);
  const auto secret = parse_token_key(kSecret + "\r\n");
  REQUIRE(secret);
  CHECK(secret->algorithm == Algorithm::hs256);
  CHECK(secret->bytes == kSecret);
  CHECK(!secret->is_weak());
  CHECK(parse_token_key("short")->is_weak());
  CHECK(parse_token_key(std::string("\0\x01 bytes", 8))->bytes.size() == 8);

  const auto refusal = [](const std::string& text) {
    const auto key = parse_token_key(text);
    REQUIRE(!key);
    CHECK(key.error().code == Code::usage);
    return key.error().text;
  };
  const std::string cannot = "cannot use the token key: ";
  CHECK(refusal("") == cannot + "it is empty");
  CHECK(refusal("\n") == cannot + "it is empty");
  CHECK(refusal(rsa().private_pem) == cannot + "it is a PEM text, but not a public key");
  CHECK(refusal("-----BEGIN CERTIFICATE-----\n") ==
        cannot + "it is a PEM text, but not a public key");
  CHECK(refusal(rsa().public_pem.substr(0, 200)) ==
        cannot + "it is a PEM text, but not a public key");
  CHECK(refusal(rsa_pair(1024).public_pem) == cannot + "RSA with less than 2048 bits");
  CHECK(refusal(ec_pair("P-384").public_pem) == cannot + "its curve is not P-256");
  CHECK(refusal(ec_pair("secp256k1").public_pem) == cannot + "its curve is not P-256");
  CHECK(refusal(ed25519_pair().public_pem) == cannot + "it is neither RSA nor P-256");
  CHECK(refusal(std::string(70'000, 'k')) == cannot + "it is larger than 64 KiB");
  CHECK(read_token_key("/nonexistent/key").error().code == Code::usage);
}

TEST_CASE("token: it comes as a bearer, the scheme in any case", "[auth]") {
  CHECK(bearer_token("Bearer a.b.c") == "a.b.c");
  CHECK(bearer_token("bEARER   a.b.c ") == "a.b.c");
  for (const char* bad : {"", "Bearer", "Bearer ", "Basic YTpi", "a.b.c", "Bearera.b.c"}) {
    INFO(bad);
    CHECK(!bearer_token(bad));
  }
}

}  // namespace
}  // namespace rt::test
