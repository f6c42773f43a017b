"""The corpus "reviews": short labelled reviews written for this project, with a challenge set on word order."""
