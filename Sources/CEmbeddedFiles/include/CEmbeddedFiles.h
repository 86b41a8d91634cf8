// The text of a file that is embedded in the program, by its name without folders. Ends the program if there is none.
const char *_Nonnull embedded_file(const char *_Nonnull name);
