#pragma once

#include <set>
#include <string>
#include <string_view>

// What programs that know nothing of ours read on labels and papers.
namespace mtp::tests {

// What the codes in a picture hold: zbar's word. Of an SVG or a PDF, of what
// is drawn (librsvg, poppler), of all pages.
std::set<std::string> CodesInPng(const std::string& png);
std::set<std::string> CodesInSvg(const std::string& svg);
std::set<std::string> CodesInPdf(const std::string& pdf);

// The words in it, as they would be copied: poppler's word.
std::string TextInPdf(const std::string& pdf);
int PagesInPdf(const std::string& pdf);

}  // namespace mtp::tests
