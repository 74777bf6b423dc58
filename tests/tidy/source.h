// A source file as the tidy rules see it: its text, its lines, and its code with comments and
// literals blanked out. No parser: good for word searches, brace counting and nothing more. Values;
// any thread.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace rt::tidy {

struct Include {
  int line = 0;
  std::string path;
  bool quoted = false;  // "path" rather than <path>
};

struct Function {
  std::string head;  // the text before its brace, on one line
  int first_line = 0;
  int last_line = 0;
  int lines() const { return last_line - first_line + 1; }
};

struct Source {
  std::string path;  // relative to the root of the repository, with '/'
  std::string text;
  std::string code;  // same length and lines as text; comments, literals and directives are spaces
  std::vector<Include> includes;
  std::vector<Function> functions;

  bool is_header() const;
  bool is_cpp() const;
  bool in(std::string_view folder) const;  // path starts with folder + "/"
  int line_at(std::size_t offset) const;   // from 1
  int line_count() const;
};

// What `text` at `path` looks like; `path` only names it.
Source parse_source(std::string path, std::string text);

// Comments, string, character and raw string literals become spaces; newlines stay.
std::string blank_comments_and_literals(std::string_view text);

// All text files under root, without build results and version control, sorted by path.
std::vector<Source> read_tree(const std::filesystem::path& root);

}  // namespace rt::tidy
