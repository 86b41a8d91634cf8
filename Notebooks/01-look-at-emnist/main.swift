import Lab
import Plot
print("notebook")
