"""The corpus "recipes": cookbook recipes written for this project, and a judge of generated ones."""
