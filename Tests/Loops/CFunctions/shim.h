/* The functions of the C library that the plain loops and their program use. Embedded Swift has no
   Foundation, and for a target without a system the compiler finds no headers. */

double exp(double x);
double log(double x);
_Noreturn void exit(int status);
