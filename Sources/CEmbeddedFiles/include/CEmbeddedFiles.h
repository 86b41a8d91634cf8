// The text of a file that is embedded in the program, by its name without folders; empty if there is none.
const char *_Nonnull embedded_file(const char *_Nonnull name);
