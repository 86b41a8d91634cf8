// The files that are part of programs. SwiftPM's `embedInCode` writes them as arrays of Swift, a number for
// each byte, which take the compiler a minute; here they take less than a second.

#include "CEmbeddedFiles.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#pragma clang diagnostic ignored "-Wc23-extensions"

static const struct {
  const char *name, *text;
} files[] = {
  {"brown.json", (const char[]){
#embed "../Lab/Resources/Metadata/brown.json"
  , 0}},
  {"emnist.json", (const char[]){
#embed "../Lab/Resources/Metadata/emnist.json"
  , 0}},
  {"mnist.json", (const char[]){
#embed "../Lab/Resources/Metadata/mnist.json"
  , 0}},
  {"sentences.txt", (const char[]){
#embed "../Lab/Resources/Text/sentences.txt"
  , 0}},
  {"page.css", (const char[]){
#embed "../Literate/Pages/Style/page.css"
  , 0}},
  {"slides.css", (const char[]){
#embed "../Literate/Pages/Style/slides.css"
  , 0}},
  {"slides.js", (const char[]){
#embed "../Literate/Pages/Style/slides.js"
  , 0}},
  {"live.css", (const char[]){
#embed "../NotebookServer/Client/live.css"
  , 0}},
  {"live.js", (const char[]){
#embed "../NotebookServer/Client/live.js"
  , 0}},
  {"arithmetic.cl", (const char[]){
#embed "../OpenCLKernels/Source/arithmetic.cl"
  , 0}},
  {"arrays.cl", (const char[]){
#embed "../OpenCLKernels/Source/arrays.cl"
  , 0}},
  {"batched-product.cl", (const char[]){
#embed "../OpenCLKernels/Source/batched-product.cl"
  , 0}},
  {"convolution-forward.cl", (const char[]){
#embed "../OpenCLKernels/Source/convolution-forward.cl"
  , 0}},
  {"convolution-gradients.cl", (const char[]){
#embed "../OpenCLKernels/Source/convolution-gradients.cl"
  , 0}},
  {"convolution-parts.cl", (const char[]){
#embed "../OpenCLKernels/Source/convolution-parts.cl"
  , 0}},
  {"convolution-small.cl", (const char[]){
#embed "../OpenCLKernels/Source/convolution-small.cl"
  , 0}},
  {"ctc.cl", (const char[]){
#embed "../OpenCLKernels/Source/ctc.cl"
  , 0}},
  {"elementwise.cl", (const char[]){
#embed "../OpenCLKernels/Source/elementwise.cl"
  , 0}},
  {"front-convolution.cl", (const char[]){
#embed "../OpenCLKernels/Source/front-convolution.cl"
  , 0}},
  {"group-sums.cl", (const char[]){
#embed "../OpenCLKernels/Source/group-sums.cl"
  , 0}},
  {"grouped-convolution.cl", (const char[]){
#embed "../OpenCLKernels/Source/grouped-convolution.cl"
  , 0}},
  {"losses.cl", (const char[]){
#embed "../OpenCLKernels/Source/losses.cl"
  , 0}},
  {"lstm.cl", (const char[]){
#embed "../OpenCLKernels/Source/lstm.cl"
  , 0}},
  {"normalization.cl", (const char[]){
#embed "../OpenCLKernels/Source/normalization.cl"
  , 0}},
  {"optimizers.cl", (const char[]){
#embed "../OpenCLKernels/Source/optimizers.cl"
  , 0}},
  {"pooling.cl", (const char[]){
#embed "../OpenCLKernels/Source/pooling.cl"
  , 0}},
  {"positions.cl", (const char[]){
#embed "../OpenCLKernels/Source/positions.cl"
  , 0}},
  {"products-core.cl", (const char[]){
#embed "../OpenCLKernels/Source/products-core.cl"
  , 0}},
  {"reductions.cl", (const char[]){
#embed "../OpenCLKernels/Source/reductions.cl"
  , 0}},
  {"small-weight-gradient.cl", (const char[]){
#embed "../OpenCLKernels/Source/small-weight-gradient.cl"
  , 0}},
  {"sums.cl", (const char[]){
#embed "../OpenCLKernels/Source/sums.cl"
  , 0}},
  {"tensor-cores.cl", (const char[]){
#embed "../OpenCLKernels/Source/tensor-cores.cl"
  , 0}},
  {"tile-convolution.cl", (const char[]){
#embed "../OpenCLKernels/Source/tile-convolution.cl"
  , 0}},
  {"tile-parts.cl", (const char[]){
#embed "../OpenCLKernels/Source/tile-parts.cl"
  , 0}},
  {"tile-weight-gradient.cl", (const char[]){
#embed "../OpenCLKernels/Source/tile-weight-gradient.cl"
  , 0}},
  {"tile-weights.cl", (const char[]){
#embed "../OpenCLKernels/Source/tile-weights.cl"
  , 0}},
};

const char *embedded_file(const char *name) {
  for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
    if (strcmp(files[i].name, name) == 0) return files[i].text;
  }
  fprintf(stderr, "%s is not among the embedded files\n", name);
  abort();
}
