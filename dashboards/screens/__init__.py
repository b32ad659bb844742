"""The pages, one file each; views only. (Streamlit takes a folder named ``pages`` beside the app for its older kind, and deep links break.)"""
