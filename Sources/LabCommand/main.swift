import Lab
print("lab")
