#include "tidy/source.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <iterator>
#include <sstream>

namespace rt::tidy {
namespace {

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// Past the end of the literal or comment that begins at `at`; `at` itself if none begins there.
std::size_t past_literal(std::string_view s, std::size_t at) {
  const auto until = [&](std::string_view end, std::size_t from) {
    const std::size_t found = s.find(end, from);
    return found == s.npos ? s.size() : found + end.size();
  };
  const bool after_word = at > 0 && is_word(s[at - 1]);
  if (s.substr(at, 2) == "//") return std::min(s.find('\n', at), s.size());
  if (s.substr(at, 2) == "/*") return until("*/", at + 2);
  if (s.substr(at, 2) == "R\"" && !after_word) {
    const std::size_t open = s.find('(', at);
    if (open == s.npos) return s.size();
    return until(")" + std::string(s.substr(at + 2, open - at - 2)) + "\"", open);
  }
  // A quote after a digit separates digits (1'000).
  if (s[at] == '"' || (s[at] == '\'' && !after_word)) {
    for (std::size_t i = at + 1; i < s.size(); ++i) {
      if (s[i] == '\\') {
        ++i;
      } else if (s[i] == s[at] || s[i] == '\n') {
        return i + 1;
      }
    }
    return s.size();
  }
  return at;
}

// Preprocessor lines, with their continuations, become spaces: their braces need not balance.
void blank_directives(std::string& code) {
  bool inside = false;
  for (std::size_t begin = 0; begin < code.size();) {
    const std::size_t end = std::min(code.find('\n', begin), code.size());
    const std::size_t first = code.find_first_not_of(" \t", begin);
    if (inside || (first < end && code[first] == '#')) {
      inside = end > begin && code[end - 1] == '\\';
      std::fill(code.begin() + static_cast<std::ptrdiff_t>(begin),
                code.begin() + static_cast<std::ptrdiff_t>(end), ' ');
    }
    begin = end + 1;
  }
}

std::vector<Include> find_includes(std::string_view text) {
  std::vector<Include> found;
  std::istringstream lines{std::string(text)};
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    if (line.rfind("#include ", 0) != 0) continue;
    const std::size_t open = line.find_first_of("<\"");
    const std::size_t close = open == line.npos ? open : line.find_first_of(">\"", open + 1);
    if (close == line.npos) continue;
    found.push_back({number, line.substr(open + 1, close - open - 1), line[open] == '"'});
  }
  return found;
}

std::string one_line(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool space = std::isspace(static_cast<unsigned char>(c)) != 0;
    if (!space) out += c;
    if (space && !out.empty() && out.back() != ' ') out += ' ';
  }
  return out;
}

// "template <...>" in front says nothing about what follows.
std::string_view without_template(std::string_view head) {
  while (head.rfind("template", 0) == 0) {
    std::size_t at = head.find('<');
    int depth = 0;
    for (; at < head.size(); ++at) {
      if (head[at] == '<') ++depth;
      if (head[at] == '>' && --depth == 0) break;
    }
    head.remove_prefix(std::min(at + 1, head.size()));
    head.remove_prefix(std::min(head.find_first_not_of(' '), head.size()));
  }
  return head;
}

// Does a brace after this head open a scope that holds declarations?
bool opens_scope(std::string_view head) {
  head = without_template(head);
  constexpr std::array<std::string_view, 7> kWords = {
      "namespace", "inline namespace", "class", "struct", "union", "enum", "extern"};
  return std::any_of(kWords.begin(), kWords.end(), [&](std::string_view word) {
    return head.rfind(word, 0) == 0 && (head.size() == word.size() || !is_word(head[word.size()]));
  });
}

std::size_t matching_brace(std::string_view code, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < code.size(); ++i) {
    if (code[i] == '{') ++depth;
    if (code[i] == '}' && --depth == 0) return i;
  }
  return code.size();
}

// A brace that opens no scope and whose head has parentheses is a function's; others are
// initialisers.
std::vector<Function> find_functions(const Source& source) {
  std::vector<Function> found;
  const std::string& code = source.code;
  std::size_t head_begin = 0;
  for (std::size_t i = 0; i < code.size(); ++i) {
    if (code[i] == ';' || code[i] == '}') head_begin = i + 1;
    if (code[i] != '{') continue;
    const std::string head = one_line(std::string_view(code).substr(head_begin, i - head_begin));
    if (opens_scope(head)) {
      head_begin = i + 1;
      continue;
    }
    const std::size_t end = matching_brace(code, i);
    if (head.find('(') != head.npos) {
      const std::size_t first = code.find_first_not_of(" \t\n", head_begin);
      found.push_back({head, source.line_at(first), source.line_at(end)});
    }
    i = end;
    head_begin = end + 1;
  }
  return found;
}

bool is_text(const std::filesystem::path& path) {
  static const std::array<std::string_view, 14> kExtensions = {
      ".h",  ".cc",  ".txt", ".cmake", ".md",   ".sh",         ".json",
      ".in", ".svg", ".yml", ".sql",   ".html", ".clang-tidy", ".clang-format"};
  const std::string extension = path.extension().string();
  if (std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end())
    return true;
  const std::string folder = path.parent_path().filename().string();
  return extension.empty() &&
         (folder == "scripts" || folder == ".ci" || path.filename() == ".clang-tidy");
}

}  // namespace

bool Source::is_header() const {
  return path.size() > 2 && path.substr(path.size() - 2) == ".h";
}
bool Source::is_cpp() const {
  return is_header() || (path.size() > 3 && path.substr(path.size() - 3) == ".cc");
}
bool Source::in(std::string_view folder) const {
  return path.rfind(folder, 0) == 0 && path.size() > folder.size() && path[folder.size()] == '/';
}
int Source::line_at(std::size_t offset) const {
  const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(offset, text.size()));
  return 1 + static_cast<int>(std::count(text.begin(), end, '\n'));
}
int Source::line_count() const {
  return static_cast<int>(std::count(text.begin(), text.end(), '\n'));
}

std::string blank_comments_and_literals(std::string_view text) {
  std::string out(text);
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t end = past_literal(text, i);
    for (std::size_t j = i; j < end; ++j) {
      if (out[j] != '\n') out[j] = ' ';
    }
    i = std::max(end, i + 1);
  }
  return out;
}

Source parse_source(std::string path, std::string text) {
  Source source;
  source.path = std::move(path);
  source.text = std::move(text);
  if (!source.is_cpp()) return source;
  source.code = blank_comments_and_literals(source.text);
  blank_directives(source.code);
  source.includes = find_includes(source.text);
  source.functions = find_functions(source);
  return source;
}

std::vector<Source> read_tree(const std::filesystem::path& root) {
  namespace fs = std::filesystem;
  std::vector<Source> sources;
  for (auto at = fs::recursive_directory_iterator(root); at != fs::recursive_directory_iterator();
       ++at) {
    const std::string name = at->path().filename().string();
    if (at->is_directory() && (name == ".git" || name == "build" || name == "out" ||
                               name == "node_modules" || name == "corpus")) {
      at.disable_recursion_pending();
    }
    if (!at->is_regular_file() || name == ".git" || !is_text(at->path())) continue;
    std::ifstream in(at->path(), std::ios::binary);
    std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    sources.push_back(
        parse_source(fs::relative(at->path(), root).generic_string(), std::move(text)));
  }
  std::sort(sources.begin(), sources.end(),
            [](const Source& a, const Source& b) { return a.path < b.path; });
  return sources;
}

}  // namespace rt::tidy
